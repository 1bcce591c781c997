// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/devices/network/network_figures.h"
#include "vmm/host/placement.h"
#include "vmm/time/clock.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace namsan {

// The counts of one vCPU at one moment (vcpu_counters.h).
struct VcpuFigures {
    uint64_t instructions = 0;
    uint64_t portReads = 0;
    uint64_t portWrites = 0;
    uint64_t mmioReads = 0;
    uint64_t mmioWrites = 0;
    uint64_t interrupts = 0;
    uint64_t exceptions = 0;
    uint64_t pageFaults = 0;
    uint64_t halts = 0;
    uint64_t kicks = 0;
    uint64_t blocksDecoded = 0;
    uint64_t codeInvalidations = 0;
    uint64_t tlbMisses = 0;
    uint64_t yields = 0;
    uint64_t accessFaults = 0;
    uint64_t flatTableBytes = 0; // all that were ever taken
    uint64_t unitsTranslated = 0;
    uint64_t instructionsTranslated = 0;
    uint64_t translatingNanoseconds = 0;
    uint64_t codeBytesEmitted = 0;
    uint64_t unitsDropped = 0;
    uint64_t basesKeptNoMore = 0;
    uint64_t codePartsEmptied = 0;
    uint64_t codePagesShared = 0;
    uint64_t leavesForLookup = 0;
    uint64_t leavesForLink = 0;
    uint64_t leavesForAttention = 0;
    uint64_t leavesForInterpreter = 0;
    uint64_t leavesAfterHandler = 0;
    uint64_t leavesForFault = 0;
    uint64_t instructionsCompared = 0;

    // What was counted before, by another engine, and since.
    VcpuFigures operator+(const VcpuFigures& other) const;
    bool operator==(const VcpuFigures&) const = default;
};

// One thread of a VM at one moment. Threads that ended keep their last figures.
struct ThreadFigures {
    std::string role; // "VMM", "vCPU 0", ..., "NAT"
    ThreadId thread = 0; // 0 before it exists
    std::chrono::nanoseconds cpuTime {}; // since the machine was made
    std::optional<LogicalCpu> requested; // empty: not pinned
    CpuSet granted; // what the kernel allowed; empty before the thread exists
    LogicalCpu lastCpu = 0; // where it was seen last
    std::map<LogicalCpu, uint64_t> observed; // how often it was seen running where, by the board thread's sampling
};

// The figures of a machine at one moment; the difference of two is what happened between them.
struct MachineSample {
    std::chrono::nanoseconds hostTime {}; // CLOCK_MONOTONIC while the machine was running: pauses are left out
    GuestTime guestTime {}; // what the guest's clock says
    GuestTime lateTicks {}; // how far the timer is behind: since when its oldest undelivered tick has been due
    std::vector<ThreadFigures> threads; // the VMM first, then the vCPUs in order, then the VMM's helpers
    std::vector<VcpuFigures> vcpus;
    std::optional<NetworkFigures> network; // of the network card, if there is one; some 0.1 s old
};

} // namespace namsan
