// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/log.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/machine_config.h"
#include "vmm/machine/machine_sample.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace namsan {

// A timed run inside the guest, bounded by its lines "! BEGIN: NAME" and "! PERF: NAME N s ok" (or "failed") on COM1.
struct WorkloadRun {
    std::string name;
    bool finished = false; // the PERF line came
    bool ok = false;
    double guestSeconds = 0; // N of the PERF line: by the guest's own clock
    double hostSeconds = 0; // host's monotonic clock between the two lines
    double drift() const; // (guestSeconds - hostSeconds) / hostSeconds; 0 before it is finished
    MachineSample begin;
    MachineSample end;
};

// Everything that one run of a machine has to tell, as it goes to the store: what was run, on what, how, and the
// figures.
struct RunRecord {
    static constexpr int version = 1; // of the JSON form

    MachineConfig config;
    std::string programVersion;
    std::string startedAt; // ISO 8601, UTC
    std::string hostProcessor;
    std::string hostKernel;
    unsigned hostCpus = 0;
    std::string engineName;
    std::string engineReason;
    std::vector<EngineMove> engineMoves; // since then
    Placement requested; // the last one
    std::vector<MachineSample> samples; // about one a second, the first at start, the last at the end
    std::vector<WorkloadRun> workloads;
    std::optional<MachineEnding> ending;
    std::vector<LogLine> log;
};

// Self-describing JSON with snake_case keys, among them format, version, cpu_model, engine.name, engine.reason,
// guest_instructions, placement.requested/granted/observed, host_seconds, guest_seconds, drift, workloads, samples,
// log.
nlohmann::json toJson(const RunRecord&);

// Writes it beside the file and renames, so that no half record is ever left. Fails with a sentence for the user.
Result<void> writeRecord(const RunRecord&, const std::string& path);

} // namespace namsan
