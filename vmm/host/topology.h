// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <set>
#include <string>
#include <vector>

namespace namsan {

using LogicalCpu = unsigned; // the host kernel's number
using CpuSet = std::set<LogicalCpu>;

struct HostCpu {
    LogicalCpu number;
    unsigned core; // cores are numbered through all sockets; SMT siblings share one
    unsigned socket;
    unsigned numaNode;
    bool allowed; // this process may run there: sched_getaffinity(2) has the last word

    bool operator==(const HostCpu&) const = default;
};

// The host's logical CPUs, in the order of their numbers, as hwloc sees them.
struct Topology {
    std::string processorName; // "AMD EPYC", as the processor calls itself
    std::vector<HostCpu> cpus;

    const HostCpu* find(LogicalCpu) const; // nullptr: no such CPU
    CpuSet allowed() const;
};

// Reads this host's topology. Fails with a sentence where hwloc cannot. Any thread; takes some milliseconds.
Result<Topology> readTopology();

} // namespace namsan
