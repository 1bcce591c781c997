// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/run_recorder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <ranges>
#include <sys/utsname.h>

namespace namsan {

namespace {

std::string nowInUtc()
{
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

std::string hostKernel()
{
    utsname name {};
    if (uname(&name) != 0)
        return "unknown";
    return fmt::format("{} {}", name.sysname, name.release);
}

double seconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

} // namespace

RunRecorder::RunRecorder(const MachineConfig& config, std::string programVersion, const Topology& host)
{
    m_record.config = config;
    m_record.programVersion = std::move(programVersion);
    m_record.startedAt = nowInUtc();
    m_record.hostProcessor = host.processorName;
    m_record.hostKernel = hostKernel();
    m_record.hostCpus = static_cast<unsigned>(host.cpus.size());
    m_record.requested.vcpus.resize(config.vcpus);
}

void RunRecorder::attach(const Machine& machine)
{
    const std::lock_guard guard(m_mutex);
    m_machine = &machine;
    m_record.engineName = machine.engineName();
    m_record.engineReason = machine.engineReason();
}

void RunRecorder::detach()
{
    takeSample();
    RunRecord last = record();
    const std::lock_guard guard(m_mutex);
    m_record.ending = std::move(last.ending);
    m_record.engineMoves = std::move(last.engineMoves);
    m_record.log = std::move(last.log);
    m_machine = nullptr;
    m_workloadsLeftOut = 0; // the log tells of them now
}

std::vector<WorkloadEvent> RunRecorder::serialOutput(std::span<const uint8_t> bytes)
{
    std::vector<WorkloadEvent> events = m_watch.feed(bytes);
    for (const WorkloadEvent& event : events) {
        const Machine* machine = nullptr;
        {
            const std::lock_guard guard(m_mutex);
            machine = m_machine;
        }
        if (!machine)
            break;
        const MachineSample sample = machine->sample();
        const std::lock_guard guard(m_mutex);
        note(event, sample);
    }
    return events;
}

void RunRecorder::placementRequested(const Placement& placement)
{
    const std::lock_guard guard(m_mutex);
    m_record.requested = placement;
}

MachineSample RunRecorder::takeSample()
{
    const Machine* machine = nullptr;
    {
        const std::lock_guard guard(m_mutex);
        machine = m_machine;
        if (!machine)
            return m_newest;
    }
    MachineSample sample = machine->sample();
    const std::lock_guard guard(m_mutex);
    keep(sample);
    return sample;
}

RunRecord RunRecorder::record() const
{
    const Machine* machine = nullptr;
    RunRecord result;
    uint64_t leftOut = 0;
    {
        const std::lock_guard guard(m_mutex);
        machine = m_machine;
        result = m_record;
        leftOut = m_workloadsLeftOut;
        // The newest sample stays in the record even where thinning passed it over.
        if (m_samplesTaken > 0 && (m_samplesTaken - 1) % m_stride != 0)
            result.samples.push_back(m_newest);
    }
    if (machine) {
        result.ending = machine->ending();
        result.engineMoves = machine->engineMoves();
        result.log = machine->log().lines();
    }
    if (leftOut > 0)
        result.log.push_back({ LogLevel::Warning, "run record",
            fmt::format("{} more workloads began after the {} that are recorded", leftOut, mostWorkloads) });
    return result;
}

void RunRecorder::note(const WorkloadEvent& event, const MachineSample& sample)
{
    if (const auto* began = std::get_if<WorkloadBegan>(&event)) {
        begin(began->name, sample);
        return;
    }
    const auto& ended = std::get<WorkloadEnded>(event);
    auto newestFirst = m_record.workloads | std::views::reverse;
    const auto run = std::ranges::find_if(
        newestFirst, [&](const WorkloadRun& candidate) { return candidate.name == ended.name && !candidate.finished; });
    if (run == newestFirst.end())
        return;
    run->finished = true;
    run->ok = ended.ok;
    run->guestSeconds = ended.guestSeconds;
    run->end = sample;
    run->hostSeconds = seconds(sample.hostTime - run->begin.hostTime);
}

void RunRecorder::begin(const std::string& name, const MachineSample& sample)
{
    if (m_record.workloads.size() >= mostWorkloads) {
        ++m_workloadsLeftOut;
        return;
    }
    WorkloadRun run;
    run.name = name;
    run.begin = sample;
    m_record.workloads.push_back(std::move(run));
}

void RunRecorder::keep(const MachineSample& sample)
{
    m_newest = sample;
    auto& samples = m_record.samples;
    if (m_samplesTaken % m_stride == 0)
        samples.push_back(sample);
    ++m_samplesTaken;
    if (samples.size() <= mostSamples)
        return;
    // Sample 0, 2, 4, ... of those kept are the multiples of twice the stride.
    for (size_t i = 1; 2 * i < samples.size(); ++i)
        samples[i] = std::move(samples[2 * i]);
    samples.resize((samples.size() + 1) / 2);
    m_stride *= 2;
}

} // namespace namsan
