// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/host/topology.h"

namespace namsan {

// Hosts that no test machine needs to be.
struct SyntheticHost {
    unsigned sockets = 1; // each is one NUMA node
    unsigned coresPerSocket = 1;
    unsigned threadsPerCore = 1;
    CpuSet holes = {}; // CPUs that are offline: not there at all
    CpuSet forbidden = {}; // there, but not for this process
};

// Numbers CPUs as Linux does on most hosts: first one thread of every core, then the second threads.
inline Topology synthesize(const SyntheticHost& host)
{
    Topology topology { "synthetic processor", {} };
    const unsigned cores = host.sockets * host.coresPerSocket;
    for (LogicalCpu cpu = 0; cpu < cores * host.threadsPerCore; ++cpu) {
        if (host.holes.contains(cpu))
            continue;
        const unsigned core = cpu % cores;
        const unsigned socket = core / host.coresPerSocket;
        topology.cpus.push_back({ cpu, core, socket, socket, !host.forbidden.contains(cpu) });
    }
    return topology;
}

} // namespace namsan
