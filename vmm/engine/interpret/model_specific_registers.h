// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/processor.h"

namespace namsan {

// RDMSR and WRMSR: what CPUID promises and the few numbers that operating systems touch on this family without asking.
// All others, and reserved bits, are #GP(0). Intel SDM volume 4.
uint64_t readModelSpecificRegister(const Processor&, uint32_t number);
void writeModelSpecificRegister(Processor&, uint32_t number, uint64_t value);

// The time stamp counter as RDTSC reads it.
inline uint64_t timeStampCounter(const Processor& processor)
{
    return processor.clock.tsc() + processor.tscOffset;
}

} // namespace namsan
