// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/child_process.h"
#include "app/lab/guest_launch.h"
#include "app/lab/qemu_threads.h"
#include "app/lab/run_judgement.h"
#include "vmm/machine/workload_watch.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ctime>
#include <fstream>
#include <iterator>

namespace namsan {

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

// The clock that is held against the guest's: when its two lines came.
class LineTimes {
public:
    LineTimes(std::string workload)
        : m_workload(std::move(workload))
    {
    }

    void feed(std::span<const uint8_t> bytes)
    {
        constexpr size_t longestLog = size_t { 16 } << 20;
        if (m_log.size() < longestLog)
            m_log.append(bytes.begin(), bytes.end());
        for (const WorkloadEvent& event : m_watch.feed(bytes)) {
            if (const auto* began = std::get_if<WorkloadBegan>(&event); began && began->name == m_workload)
                m_begin = Clock::now();
            if (const auto* ended = std::get_if<WorkloadEnded>(&event); ended && ended->name == m_workload && m_begin) {
                m_end = *ended;
                m_hostSeconds = std::chrono::duration<double>(Clock::now() - *m_begin).count();
            }
        }
    }

    bool over() const { return m_end.has_value(); }
    const std::string& log() const { return m_log; }
    Json toJson() const
    {
        Json run { { "name", m_workload }, { "finished", over() }, { "ok", over() && m_end->ok } };
        if (over()) {
            run["guest_seconds"] = m_end->guestSeconds;
            run["host_seconds"] = m_hostSeconds;
            run["drift"] = m_hostSeconds > 0 ? (m_end->guestSeconds - m_hostSeconds) / m_hostSeconds : 0;
        }
        return run;
    }

private:
    std::string m_workload;
    std::string m_log;
    WorkloadWatch m_watch;
    std::optional<Clock::time_point> m_begin;
    std::optional<WorkloadEnded> m_end;
    double m_hostSeconds = 0;
};

std::vector<std::string> argumentsFor(const LaunchOrder& order)
{
    const MachineConfig& config = order.config;
    std::vector<std::string> arguments { qemuProgram, "-name", "guest,debug-threads=on", "-accel", "tcg,thread=multi",
        "-smp", fmt::format("{}", config.vcpus), "-m", fmt::format("{}", config.memoryBytes >> 20), "-display", "none",
        "-no-reboot", "-serial", "stdio", "-monitor", "none", "-net", "none", "-kernel", config.kernel, "-append",
        config.append };
    if (!config.initrd.empty())
        arguments.insert(arguments.end(), { "-initrd", config.initrd });
    return arguments;
}

std::string contentsOf(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return { std::istreambuf_iterator<char>(file), {} };
}

std::string whyItFailed(const ChildEnding& ending, const LineTimes& times, const std::string& errors)
{
    if (times.over())
        return {};
    if (ending.timedOut)
        return "The time-out passed and the end of the workload never came.";
    std::string said = errors.substr(0, 2000);
    while (said.ends_with('\n'))
        said.pop_back();
    return fmt::format("QEMU ended before the workload did{}{}.", said.empty() ? "" : ": ", said);
}

} // namespace

Result<std::string> qemuVersion()
{
    auto child = ChildProcess::start({ { qemuProgram, "--version" }, "/dev/null", {} });
    if (!child)
        return Error { fmt::format(
            "The program {} is not installed; the package qemu-system-x86 has it.", qemuProgram) };
    std::string text;
    child->wait({ [&](std::span<const uint8_t> bytes) { text.append(bytes.begin(), bytes.end()); }, {}, {},
        std::chrono::seconds(60), -1 });
    std::string line = text.substr(0, text.find('\n'));
    if (line.empty())
        return Error { fmt::format("The program {} does not tell its version; is the package whole?", qemuProgram) };
    return line;
}

Result<std::optional<LaunchedRun>> launchQemu(const LaunchOrder& order)
{
    const auto version = qemuVersion();
    if (!version)
        return version.error();
    const std::time_t now = std::time(nullptr);
    const auto errors = order.folder / "errors.log";
    const auto arguments = argumentsFor(order);
    auto child = ChildProcess::start({ arguments, errors.string(), order.placement.vmm });
    if (!child)
        return child.error();

    LineTimes times(order.workload);
    QemuThreads threads(child->id(), order.placement);
    const ChildEnding ending = child->wait({
        .output = [&](std::span<const uint8_t> bytes) { times.feed(bytes); },
        .tick = [&] { threads.look(); },
        .enough = [&] { return times.over(); },
        .limit = order.limit,
        .stopDescriptor = order.stopDescriptor,
    });
    if (ending.stopped)
        return std::optional<LaunchedRun> {};

    const Json record { { "format", "namsan-yardstick-run" }, { "version", 1 },
        { "started_at", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now)) },
        { "engine", { { "name", *version }, { "reason", "It is the yardstick that was asked for." } } },
        { "command", arguments }, { "placement", threads.toJson() }, { "workloads", Json::array({ times.toJson() }) } };
    LaunchedRun launched;
    constexpr int indentation = 1;
    launched.papers = { record.dump(indentation, ' ', false, Json::error_handler_t::replace), times.log() };
    launched.run = judgeRun(launched.papers.record, order.workload, whyItFailed(ending, times, contentsOf(errors)));
    return std::optional(std::move(launched));
}

} // namespace namsan
