// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/guest_launch.h"

#include "app/lab/child_process.h"
#include "app/lab/run_judgement.h"
#include "app/running/run_orders.h"
#include "vmm/machine/machine_config_schema.h"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <iterator>

namespace namsan {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A VMM that does not even notice its own time-out is not waited for any longer.
constexpr auto grace = 60s;

std::string contentsOf(const fs::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return { std::istreambuf_iterator<char>(file), {} };
}

std::vector<std::string> argumentsFor(const fs::path& program, const LaunchOrder& order)
{
    std::vector<std::string> arguments { program.string(), "run", "--headless",
        fmt::format("--workload={}", order.workload), fmt::format("--timeout={}", order.limit.count()),
        fmt::format("--serial={}", (order.folder / "serial.log").string()),
        fmt::format("--record={}", (order.folder / "record.json").string()) };
    for (const ConfigField& field : machineConfigSchema()) {
        const std::string value = field.format(order.config);
        const std::string option(field.option);
        if (field.kind == ConfigField::Kind::Switch) {
            if (value == "false")
                arguments.push_back(option);
        } else if (!field.repeatable && !value.empty()) {
            arguments.push_back(fmt::format("{}={}", option, value));
        }
    }
    return arguments;
}

// What the program said, as sentences without its name before them.
std::string sentencesIn(const std::string& errors)
{
    std::string sentences;
    for (size_t begin = 0; begin < errors.size();) {
        const size_t end = std::min(errors.find('\n', begin), errors.size());
        std::string_view line = std::string_view(errors).substr(begin, end - begin);
        constexpr std::string_view name = "namsan: ";
        if (line.starts_with(name))
            line.remove_prefix(name.size());
        if (!sentences.empty() && !line.empty())
            sentences += ' ';
        sentences += line;
        begin = end + 1;
    }
    constexpr size_t longest = 2000;
    return sentences.substr(0, longest);
}

std::string whyItFailed(const ChildEnding& ending, const std::string& said)
{
    if (ending.timedOut)
        return "The virtual machine monitor did not answer any more and was ended.";
    if (ending.signal != 0)
        return fmt::format("The virtual machine monitor was ended by the signal SIG{}.", sigabbrev_np(ending.signal));
    if (ending.exitCode == 0)
        return {};
    return said.empty() ? fmt::format("The run ended with the exit code {}.", ending.exitCode) : said;
}

} // namespace

Result<std::optional<LaunchedRun>> launchNamsan(const fs::path& program, const LaunchOrder& order)
{
    const fs::path errors = order.folder / "errors.log";
    for (const char* old : { "serial.log", "record.json" })
        fs::remove(order.folder / old);
    auto child = ChildProcess::start({ argumentsFor(program, order), errors.string(), {} });
    if (!child)
        return child.error();
    const ChildEnding ending = child->wait({ {}, {}, {}, order.limit + grace, order.stopDescriptor });
    if (ending.stopped)
        return std::optional<LaunchedRun> {};
    const std::string said = sentencesIn(contentsOf(errors));
    if (ending.exitCode == static_cast<int>(ExitCode::BadInput))
        return Error { said.empty() ? std::string("The guest could not be started.") : said };

    LaunchedRun launched;
    launched.papers = { contentsOf(order.folder / "record.json"), contentsOf(order.folder / "serial.log") };
    launched.run = judgeRun(launched.papers.record, order.workload, whyItFailed(ending, said));
    return std::optional(std::move(launched));
}

} // namespace namsan
