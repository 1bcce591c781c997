// SPDX-License-Identifier: GPL-3.0-or-later
// The conformance suite: one table of small guest programs, run on every engine that there is.
#include "tests/session/engines.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>

namespace namsan {

namespace {

std::vector<ConformanceCase> allCases()
{
    std::vector<ConformanceCase> cases;
    for (const auto& part : { accessCases(), interruptCases(), exceptionCases(), pagingCases(), memoryCases(),
             processorCases(), kickCases(), modeCases(), debugCases() })
        cases.insert(cases.end(), part.begin(), part.end());
    return cases;
}

struct Count {
    unsigned passed = 0, failed = 0, hosts = 0, notRun = 0;
};

} // namespace

TEST(Conformance, EveryEnginePassesEveryCase)
{
    const std::vector<Engine> tested = sessionEngines();
    std::vector<std::string> troubles;
    for (const Engine& engine : tested)
        troubles.push_back(troubleOf(engine));
    std::vector<Count> counts(tested.size());
    std::map<std::string, std::vector<std::string>> faults; // of the host, and what they spoiled
    std::string table = fmt::format("{:<48}", "case");
    for (const Engine& engine : tested)
        table += fmt::format("  {:<22}", engine.name);
    table += "\n";
    for (const ConformanceCase& conformanceCase : allCases()) {
        table += fmt::format("{:<48}", conformanceCase.name);
        for (size_t i = 0; i < tested.size(); ++i) {
            if (!troubles[i].empty()) {
                ++counts[i].notRun;
                table += fmt::format("  {:<22}", "not run");
                continue;
            }
            SessionRig rig(tested[i]);
            ASSERT_TRUE(rig.session) << tested[i].name << ": " << rig.trouble;
            Verdict verdict;
            conformanceCase.run(rig, verdict);
            const HostFault* fault = conformanceCase.hostFault;
            if (verdict.text().empty()) {
                ++counts[i].passed;
                table += fmt::format("  {:<22}", "passed");
            } else if (isKvm(tested[i]) && fault && fault->present()) {
                ++counts[i].hosts;
                table += fmt::format("  {:<22}", "host's fault");
                faults[fault->name].push_back(
                    fmt::format("{} on {}: {}", conformanceCase.name, tested[i].name, verdict.text()));
            } else {
                ++counts[i].failed;
                table += fmt::format("  {:<22}", "FAILED");
                ADD_FAILURE() << conformanceCase.name << " on " << tested[i].name << ": " << verdict.text();
            }
        }
        table += "\n";
    }
    std::printf("%s", table.c_str());
    for (size_t i = 0; i < tested.size(); ++i)
        std::printf("%s: %u passed, %u failed, %u the host's fault, %u not run%s\n", tested[i].name.c_str(),
            counts[i].passed, counts[i].failed, counts[i].hosts, counts[i].notRun,
            counts[i].notRun ? (": " + troubles[i]).c_str() : "");
    for (const auto& [fault, spoiled] : faults) {
        std::printf("%s Shown without our engine, and spoils:\n", fault.c_str());
        for (const std::string& text : spoiled)
            std::printf("    %s\n", text.c_str());
    }
}

} // namespace namsan
