// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment_store.h"
#include "app/lab/guest_launch.h"
#include "app/lab/workload.h"
#include "vmm/host/topology.h"

#include <filesystem>
#include <functional>

namespace namsan {

// What the experiment's runner needs of the world.
struct RunnerSurroundings {
    Topology host;
    Launcher launch; // a guest of the engine that order.config names
    std::filesystem::path folder; // for files on the way; made and removed
    int stopDescriptor = -1; // readable: end between runs, or leave the one that goes on
    std::function<void(const Experiment&)> ended; // the last of its runs is new
};

enum class RunnerEnding {
    Finished,
    Stopped, // by the stop descriptor; what has ended is kept
};

// Makes the runs that the experiment still lacks, in its order, and keeps each in the store when it has ended. Fails
// with a sentence where the host can't go on; what has ended is kept. The calling thread waits.
Result<RunnerEnding> makeMissingRuns(ExperimentStore&, Experiment&,
    const std::map<unsigned, MachineConfig>& configByVcpus, const WorkloadSize&, const RunnerSurroundings&);

} // namespace namsan
