// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/host/topology.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace namsan {

using ThreadId = pid_t; // the kernel's thread number, as gettid(2) gives it

// Where the threads of one VM run on the host.
//
// "The VMM" is the board thread: timers, device completions, everything that is not guest code.
// Shared and Disjoint are the columns of the published kernel-compile tables.
enum class PlacementPolicy {
    Free, // the host's scheduler decides
    Shared, // n(s): the VMM and vCPU 0 share one logical CPU, each further vCPU has its own
    Disjoint, // n(d): the VMM and every vCPU have a logical CPU each
};

struct Placement {
    std::optional<LogicalCpu> vmm; // empty: not pinned
    std::vector<std::optional<LogicalCpu>> vcpus; // one entry per vCPU, in order

    bool operator==(const Placement&) const = default;
};

// Chooses logical CPUs, whole cores before their hyperthread siblings, one NUMA node before the next.
//
// Pure: the same topology gives the same placement, on any machine, so tables name columns and not CPU numbers.
// Fails with a sentence for the user where the host has too few logical CPUs,
// e.g. "2(d) needs 3 logical CPUs; this host has 2".
Result<Placement> plan(const Topology&, PlacementPolicy, unsigned vcpus);

// What a user writes: "free", "1s", "1d", "2s" ... (the number must be that of the vCPUs), or a map "vmm=0,vcpu0=1" in
// which what is not named is not pinned. Fails with a sentence that names the part that is wrong, a CPU that does not
// exist or is not allowed to this process, and what may be written.
Result<Placement> parsePlacement(std::string_view text, const Topology&, unsigned vcpus);

// "1(s)", "2(d)", "free" where the placement has such a shape, else a map as parsePlacement() takes it.
std::string describe(const Placement&);

// Moves a thread of this process and returns the CPU set that the kernel granted, which cgroups may have narrowed.
// Fails, and changes nothing, where the CPU is not allowed to this process. An empty CPU means any that the process may
// use. Callable from any thread. sched_setaffinity(2).
Result<CpuSet> setAffinity(ThreadId, std::optional<LogicalCpu>);

} // namespace namsan
