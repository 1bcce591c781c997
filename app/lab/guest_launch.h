// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"
#include "app/lab/experiment_store.h"
#include "vmm/host/placement.h"
#include "vmm/machine/machine_config.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace namsan {

// One run of a guest for an experiment.
struct LaunchOrder {
    MachineConfig config; // with engine and placement
    Placement placement; // the same as config.placement, for this host
    std::string workload; // its name in the guest's lines
    std::chrono::seconds limit; // of the host's time
    std::filesystem::path folder; // for the files on the way; exists
    int stopDescriptor = -1; // readable: leave the run, it does not count
};

struct LaunchedRun {
    ExperimentRun run; // without its place in the experiment
    RunPapers papers;
};

// Starts a guest, waits for its end and judges the run. Empty: it was stopped. Fails with a sentence where the host
// could not do it: no run took place, and trying again may help. Whatever a guest does is no failure but a run.
using Launcher = std::function<Result<std::optional<LaunchedRun>>(const LaunchOrder&)>;

// As "namsan run --headless" in a process of its own: whatever becomes of the guest, the experiment goes on, and each
// run finds the same fresh program. Program is namsan's own file.
Result<std::optional<LaunchedRun>> launchNamsan(const std::filesystem::path& program, const LaunchOrder&);

// The same kernel, initial RAM disk and command line in QEMU's translator, placed in the same way: the yardstick.
Result<std::optional<LaunchedRun>> launchQemu(const LaunchOrder&);

inline constexpr const char* qemuProgram = "qemu-system-i386";

// The first line of what QEMU says of itself. Fails with a sentence where it is not installed.
Result<std::string> qemuVersion();

} // namespace namsan
