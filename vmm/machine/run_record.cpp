// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/run_record.h"

#include "vmm/base/file_writer.h"
#include "vmm/machine/machine_config_schema.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace namsan {

namespace {

using Json = nlohmann::ordered_json;

struct CounterName {
    const char* key;
    uint64_t VcpuFigures::*value;
    bool insideTheGuest = false; // what a processor does by itself: only an engine in software can count it
};

constexpr std::array counterNames {
    CounterName { "instructions", &VcpuFigures::instructions, true },
    CounterName { "port_reads", &VcpuFigures::portReads },
    CounterName { "port_writes", &VcpuFigures::portWrites },
    CounterName { "mmio_reads", &VcpuFigures::mmioReads },
    CounterName { "mmio_writes", &VcpuFigures::mmioWrites },
    CounterName { "interrupts", &VcpuFigures::interrupts },
    CounterName { "exceptions", &VcpuFigures::exceptions, true },
    CounterName { "page_faults", &VcpuFigures::pageFaults, true },
    CounterName { "halts", &VcpuFigures::halts },
    CounterName { "kicks", &VcpuFigures::kicks },
    CounterName { "blocks_decoded", &VcpuFigures::blocksDecoded, true },
    CounterName { "code_invalidations", &VcpuFigures::codeInvalidations, true },
    CounterName { "tlb_misses", &VcpuFigures::tlbMisses, true },
    CounterName { "yields", &VcpuFigures::yields, true },
    CounterName { "access_faults", &VcpuFigures::accessFaults, true },
    CounterName { "flat_table_bytes", &VcpuFigures::flatTableBytes, true },
    CounterName { "units_translated", &VcpuFigures::unitsTranslated, true },
    CounterName { "instructions_translated", &VcpuFigures::instructionsTranslated, true },
    CounterName { "translating_nanoseconds", &VcpuFigures::translatingNanoseconds, true },
    CounterName { "code_bytes_emitted", &VcpuFigures::codeBytesEmitted, true },
    CounterName { "units_dropped", &VcpuFigures::unitsDropped, true },
    CounterName { "bases_kept_no_more", &VcpuFigures::basesKeptNoMore, true },
    CounterName { "code_parts_emptied", &VcpuFigures::codePartsEmptied, true },
    CounterName { "code_pages_shared", &VcpuFigures::codePagesShared, true },
    CounterName { "leaves_for_lookup", &VcpuFigures::leavesForLookup, true },
    CounterName { "leaves_for_link", &VcpuFigures::leavesForLink, true },
    CounterName { "leaves_for_attention", &VcpuFigures::leavesForAttention, true },
    CounterName { "leaves_for_interpreter", &VcpuFigures::leavesForInterpreter, true },
    CounterName { "leaves_after_handler", &VcpuFigures::leavesAfterHandler, true },
    CounterName { "leaves_for_fault", &VcpuFigures::leavesForFault, true },
    CounterName { "instructions_compared", &VcpuFigures::instructionsCompared, true },
};

// What leaves guest code for the VMM; the other counters are the engine's own affair.
constexpr std::array exitNames {
    CounterName { "port_reads", &VcpuFigures::portReads },
    CounterName { "port_writes", &VcpuFigures::portWrites },
    CounterName { "mmio_reads", &VcpuFigures::mmioReads },
    CounterName { "mmio_writes", &VcpuFigures::mmioWrites },
    CounterName { "interrupts", &VcpuFigures::interrupts },
    CounterName { "halts", &VcpuFigures::halts },
    CounterName { "kicks", &VcpuFigures::kicks },
};

// Whether the engines can tell what happens inside the guest: each that it was on.
bool countsInsideTheGuest(const RunRecord& record)
{
    return record.engineName != "kvm"
        && std::ranges::none_of(record.engineMoves, [](const EngineMove& move) { return move.to == "kvm"; });
}

double seconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

double driftOf(double guestSeconds, double hostSeconds)
{
    return hostSeconds > 0 ? (guestSeconds - hostSeconds) / hostSeconds : 0;
}

uint64_t total(const MachineSample& sample, uint64_t VcpuFigures::*value)
{
    return std::accumulate(sample.vcpus.begin(), sample.vcpus.end(), uint64_t { 0 },
        [&](uint64_t sum, const VcpuFigures& vcpu) { return sum + vcpu.*value; });
}

// "vmm", "vcpu0": as a placement is written on the command line.
std::string keyOf(const ThreadFigures& thread)
{
    std::string key;
    for (const char c : thread.role) {
        if (c != ' ')
            key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return key;
}

Json toJson(const std::optional<LogicalCpu>& cpu)
{
    return cpu ? Json(*cpu) : Json(nullptr);
}

Json toJson(const Placement& placement)
{
    Json json { { "policy", describe(placement) }, { "vmm", toJson(placement.vmm) } };
    for (size_t vcpu = 0; vcpu < placement.vcpus.size(); ++vcpu)
        json[fmt::format("vcpu{}", vcpu)] = toJson(placement.vcpus[vcpu]);
    return json;
}

Json grantedPlaces(const MachineSample& sample)
{
    Json json = Json::object();
    for (const ThreadFigures& thread : sample.threads)
        json[keyOf(thread)] = thread.granted;
    return json;
}

Json observedPlaces(const ThreadFigures& thread)
{
    Json json = Json::object();
    for (const auto& [cpu, times] : thread.observed)
        json[fmt::format("{}", cpu)] = times;
    return json;
}

Json observedPlaces(const MachineSample& sample)
{
    Json json = Json::object();
    for (const ThreadFigures& thread : sample.threads)
        json[keyOf(thread)] = observedPlaces(thread);
    return json;
}

Json toJson(const NetworkFigures& figures)
{
    return { { "frames_sent", figures.framesSent }, { "bytes_sent", figures.bytesSent },
        { "frames_received", figures.framesReceived }, { "bytes_received", figures.bytesReceived },
        { "frames_lost", figures.framesLost }, { "frames_filtered", figures.framesFiltered },
        { "frames_malformed", figures.framesMalformed }, { "interrupts", figures.interrupts },
        { "notifications", figures.notifications } };
}

Json toJson(const MachineSample& sample, bool insideIsCounted)
{
    Json threads = Json::array();
    for (const ThreadFigures& thread : sample.threads)
        threads.push_back({ { "role", thread.role }, { "cpu_seconds", seconds(thread.cpuTime) },
            { "requested", toJson(thread.requested) }, { "granted", thread.granted }, { "last_cpu", thread.lastCpu },
            { "observed", observedPlaces(thread) } });
    Json vcpus = Json::array();
    for (const VcpuFigures& figures : sample.vcpus) {
        Json vcpu = Json::object();
        for (const CounterName& counter : counterNames)
            vcpu[counter.key]
                = counter.insideTheGuest && !insideIsCounted ? Json(nullptr) : Json(figures.*counter.value);
        vcpus.push_back(std::move(vcpu));
    }
    Json json { { "host_seconds", seconds(sample.hostTime) }, { "guest_seconds", seconds(sample.guestTime) },
        { "late_tick_seconds", seconds(sample.lateTicks) }, { "threads", std::move(threads) },
        { "vcpus", std::move(vcpus) } };
    if (sample.network)
        json["network"] = toJson(*sample.network);
    return json;
}

Json toJson(const std::vector<EngineMove>& moves)
{
    Json json = Json::array();
    for (const EngineMove& move : moves)
        json.push_back({ { "host_seconds", seconds(move.hostTime) }, { "guest_seconds", seconds(move.guestTime) },
            { "from", move.from }, { "to", move.to }, { "reason", move.reason } });
    return json;
}

Json toJson(const WorkloadRun& run, bool insideIsCounted)
{
    Json json { { "name", run.name }, { "finished", run.finished }, { "ok", run.ok },
        { "begin", toJson(run.begin, insideIsCounted) } };
    if (!run.finished)
        return json;
    json["guest_seconds"] = run.guestSeconds;
    json["host_seconds"] = run.hostSeconds;
    json["drift"] = run.drift();
    const uint64_t instructions
        = total(run.end, &VcpuFigures::instructions) - total(run.begin, &VcpuFigures::instructions);
    json["guest_instructions"] = insideIsCounted ? Json(instructions) : Json(nullptr);
    json["end"] = toJson(run.end, insideIsCounted);
    return json;
}

Json linesOf(std::string_view text)
{
    Json lines = Json::array();
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

Json toJson(const MachineConfig& config)
{
    Json json = Json::object();
    for (const ConfigField& field : machineConfigSchema()) {
        const std::string value = field.format(config);
        json[std::string(field.key)] = field.repeatable ? linesOf(value) : Json(value);
    }
    return json;
}

const char* nameOf(MachineEnding::Reason reason)
{
    switch (reason) {
    case MachineEnding::Reason::PoweredOff:
        return "powered_off";
    case MachineEnding::Reason::Halted:
        return "halted";
    case MachineEnding::Reason::Reset:
        return "reset";
    case MachineEnding::Reason::Crashed:
        return "crashed";
    case MachineEnding::Reason::Stopped:
        return "stopped";
    case MachineEnding::Reason::DebugExit:
        return "debug_exit";
    }
    return "unknown";
}

const char* nameOf(LogLevel level)
{
    switch (level) {
    case LogLevel::Note:
        return "note";
    case LogLevel::Warning:
        return "warning";
    case LogLevel::Error:
        return "error";
    }
    return "unknown";
}

Json toJson(const std::optional<MachineEnding>& ending)
{
    if (!ending)
        return nullptr;
    Json json { { "reason", nameOf(ending->reason) }, { "why", ending->why } };
    if (ending->reason == MachineEnding::Reason::DebugExit)
        json["value"] = ending->value;
    return json;
}

Json toJson(const std::vector<LogLine>& lines)
{
    Json json = Json::array();
    for (const LogLine& line : lines)
        json.push_back({ { "level", nameOf(line.level) }, { "source", line.source }, { "text", line.text } });
    return json;
}

Json exitsByKind(const MachineSample& sample)
{
    Json json = Json::object();
    for (const CounterName& exit : exitNames)
        json[exit.key] = total(sample, exit.value);
    return json;
}

// A reader who has nothing but the file should understand it.
Json explanations()
{
    return {
        { "host_seconds", "host's monotonic clock while the machine ran, pauses left out" },
        { "guest_seconds", "the guest's own clock; of a workload, what the guest itself reported" },
        { "drift", "(guest_seconds - host_seconds) / host_seconds" },
        { "late_tick_seconds", "guest time in timer ticks that came too late and were never made up for" },
        { "guest_instructions",
            "instructions that all vCPUs completed; a REP string instruction is one; null: the engine cannot count "
            "them" },
        { "engine.name", "the engine at the start" },
        { "engine.moves", "when the guest was carried to another engine while it ran, and why" },
        { "exits", "how often guest code was left for the VMM, by kind, all vCPUs together" },
        { "placement.requested", "host CPU that was asked for last; null: any" },
        { "placement.granted", "host CPUs that the kernel allowed at the end" },
        { "placement.observed", "host CPU and how often the thread was seen running there" },
        { "cpu_model", "the processor that the guest found, fixed for the machine's life" },
        { "samples", "figures since the start, about once a second; thinned in long runs" },
    };
}

Json wholeRecord(const RunRecord& record)
{
    const MachineSample last = record.samples.empty() ? MachineSample {} : record.samples.back();
    const bool insideIsCounted = countsInsideTheGuest(record);
    Json json;
    json["format"] = "namsan-run-record";
    json["version"] = RunRecord::version;
    json["explanations"] = explanations();
    json["program"] = { { "name", "namsan" }, { "version", record.programVersion } };
    json["started_at"] = record.startedAt;
    json["host"]
        = { { "processor", record.hostProcessor }, { "kernel", record.hostKernel }, { "cpus", record.hostCpus } };
    json["config"] = toJson(record.config);
    json["cpu_model"] = record.config.cpu;
    json["engine"]
        = { { "name", record.engineName }, { "reason", record.engineReason }, { "moves", toJson(record.engineMoves) } };
    json["placement"] = { { "requested", toJson(record.requested) }, { "granted", grantedPlaces(last) },
        { "observed", observedPlaces(last) } };
    json["ending"] = toJson(record.ending);
    json["host_seconds"] = seconds(last.hostTime);
    json["guest_seconds"] = seconds(last.guestTime);
    json["drift"] = driftOf(seconds(last.guestTime), seconds(last.hostTime));
    json["late_tick_seconds"] = seconds(last.lateTicks);
    json["guest_instructions"] = insideIsCounted ? Json(total(last, &VcpuFigures::instructions)) : Json(nullptr);
    json["exits"] = exitsByKind(last);
    json["workloads"] = Json::array();
    for (const WorkloadRun& run : record.workloads)
        json["workloads"].push_back(toJson(run, insideIsCounted));
    json["samples"] = Json::array();
    for (const MachineSample& sample : record.samples)
        json["samples"].push_back(toJson(sample, insideIsCounted));
    json["log"] = toJson(record.log);
    return json;
}

} // namespace

double WorkloadRun::drift() const
{
    return finished ? driftOf(guestSeconds, hostSeconds) : 0;
}

nlohmann::json toJson(const RunRecord& record)
{
    return wholeRecord(record);
}

Result<void> writeRecord(const RunRecord& record, const std::string& path)
{
    // Log lines and paths may hold bytes that are no UTF-8; JSON can't, so they are replaced.
    constexpr int indentation = 1;
    const std::string text
        = wholeRecord(record).dump(indentation, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return writeWholeFile("The run record", path, text + "\n");
}

} // namespace namsan
