// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/host/placement.h"

#include <chrono>
#include <optional>

namespace namsan {

// What the kernel says of one thread: proc(5), /proc/self/task/TID/stat fields 14, 15 and 39, with the CPU time from
// the thread's CPU clock, which counts in nanoseconds.
struct ThreadUsage {
    std::chrono::nanoseconds cpuTime; // user and system, since the thread began
    LogicalCpu lastCpu; // where it ran last
};

// Empty when the thread is gone. Any thread; costs some microseconds.
std::optional<ThreadUsage> readThreadUsage(ThreadId);

} // namespace namsan
