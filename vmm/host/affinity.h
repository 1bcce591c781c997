// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/host/topology.h"

#include <string>

namespace namsan {

// The CPUs that the kernel lets this process use: sched_getaffinity(2) of its main thread, which Namsan never pins, so
// that a pinned thread may ask, too. Any thread; costs some microseconds.
Result<CpuSet> readAllowedCpus();

// "0-3,8", for people.
std::string describe(const CpuSet&);

} // namespace namsan
