// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/eflags_access.h"

#include "vmm/engine/interpret/processor.h"

namespace namsan {

uint32_t Processor::eflags() const
{
    return otherFlags | host_flags::toEflags(arithmeticFlags);
}

void Processor::setEflags(uint32_t value)
{
    constexpr uint32_t other = eflags::trap | eflags::interruptEnable | eflags::direction | eflags::ioPrivilege
        | eflags::nestedTask | eflags::resume | eflags::virtual8086 | eflags::alignmentCheck | eflags::virtualInterrupt
        | eflags::virtualInterruptPending | eflags::identification;
    arithmeticFlags = host_flags::fromEflags(value);
    otherFlags = (value & other) | eflags::alwaysOne;
    updateAlignmentCheck();
}

} // namespace namsan
