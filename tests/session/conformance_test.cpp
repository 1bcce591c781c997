// SPDX-License-Identifier: GPL-3.0-or-later
// The conformance suite: one table of small guest programs, run on every engine that there is.
#include "tests/session/session_rig.h"

#include "vmm/session/kvm/kvm_session.h"
#include "vmm/session/soft/soft_session.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>

namespace namsan {

namespace {

std::vector<Engine> engines()
{
    const auto kvm = [](bool splitIrqchip) {
        return [splitIrqchip](GuestMemory& memory, const Clock& clock, const CpuModel& model,
                   GuestBus& bus) -> Result<std::unique_ptr<VmSession>> {
            auto made = KvmSession::create(memory, clock, model, bus, { .splitIrqchip = splitIrqchip });
            if (!made)
                return made.error();
            return std::unique_ptr<VmSession>(std::move(*made));
        };
    };
    return {
        { "soft:interpreter",
            [](GuestMemory& memory, const Clock& clock, const CpuModel& model,
                GuestBus& bus) -> Result<std::unique_ptr<VmSession>> {
                return std::unique_ptr<VmSession>(std::make_unique<SoftSession>(memory, clock, model, bus));
            } },
        { "kvm", kvm(true) },
        { "kvm, no irqchip", kvm(false) },
    };
}

std::vector<ConformanceCase> allCases()
{
    std::vector<ConformanceCase> cases;
    for (const auto& part : { accessCases(), interruptCases(), exceptionCases(), pagingCases(), memoryCases(),
             processorCases(), kickCases(), modeCases(), debugCases() })
        cases.insert(cases.end(), part.begin(), part.end());
    return cases;
}

bool isKvm(const Engine& engine)
{
    return engine.name.starts_with("kvm");
}

// Why KVM cannot be used here at all; empty where it can.
std::string kvmTrouble()
{
    const auto device = KvmDevice::open();
    return device ? "" : device.error().message;
}

enum class Outcome { Passed, Failed, HostsFault, NotRun };

struct Count {
    unsigned passed = 0, failed = 0, hosts = 0, notRun = 0;
};

} // namespace

TEST(Conformance, EveryEnginePassesEveryCase)
{
    const std::string trouble = kvmTrouble();
    const std::vector<Engine> tested = engines();
    std::vector<Count> counts(tested.size());
    std::map<std::string, std::vector<std::string>> faults; // of the host, and what they spoiled
    std::string table = fmt::format("{:<48}", "case");
    for (const Engine& engine : tested)
        table += fmt::format("  {:<16}", engine.name);
    table += "\n";
    for (const ConformanceCase& conformanceCase : allCases()) {
        table += fmt::format("{:<48}", conformanceCase.name);
        for (size_t i = 0; i < tested.size(); ++i) {
            if (isKvm(tested[i]) && !trouble.empty()) {
                ++counts[i].notRun;
                table += fmt::format("  {:<16}", "not run");
                continue;
            }
            SessionRig rig(tested[i]);
            ASSERT_TRUE(rig.session) << tested[i].name << ": " << rig.trouble;
            Verdict verdict;
            conformanceCase.run(rig, verdict);
            const HostFault* fault = conformanceCase.hostFault;
            if (verdict.text().empty()) {
                ++counts[i].passed;
                table += fmt::format("  {:<16}", "passed");
            } else if (isKvm(tested[i]) && fault && fault->present()) {
                ++counts[i].hosts;
                table += fmt::format("  {:<16}", "host's fault");
                faults[fault->name].push_back(
                    fmt::format("{} on {}: {}", conformanceCase.name, tested[i].name, verdict.text()));
            } else {
                ++counts[i].failed;
                table += fmt::format("  {:<16}", "FAILED");
                ADD_FAILURE() << conformanceCase.name << " on " << tested[i].name << ": " << verdict.text();
            }
        }
        table += "\n";
    }
    std::printf("%s", table.c_str());
    for (size_t i = 0; i < tested.size(); ++i)
        std::printf("%s: %u passed, %u failed, %u the host's fault, %u not run%s\n", tested[i].name.c_str(),
            counts[i].passed, counts[i].failed, counts[i].hosts, counts[i].notRun,
            counts[i].notRun ? (": " + trouble).c_str() : "");
    for (const auto& [fault, spoiled] : faults) {
        std::printf("%s Shown without our engine, and spoils:\n", fault.c_str());
        for (const std::string& text : spoiled)
            std::printf("    %s\n", text.c_str());
    }
}

} // namespace namsan
