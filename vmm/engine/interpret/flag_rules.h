// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/processor.h"

namespace namsan {

inline unsigned ioPrivilegeLevel(const Processor& processor)
{
    return (processor.otherFlags & eflags::ioPrivilege) >> 12;
}

// The bits of EFLAGS that POPF and IRET may change at the privilege of now; other bits keep their values in silence.
// Intel SDM volume 2, POPF and IRET. (The CPU model has no VME, so VIF and VIP never change.)
inline uint32_t changeableFlags(const Processor& processor, unsigned operandSize)
{
    uint32_t mask = eflags::arithmetic | eflags::trap | eflags::direction | eflags::nestedTask;
    if (processor.cpl <= ioPrivilegeLevel(processor))
        mask |= eflags::interruptEnable;
    if (processor.cpl == 0)
        mask |= eflags::ioPrivilege;
    if (operandSize == 4)
        mask |= eflags::alignmentCheck | eflags::identification;
    return mask;
}

} // namespace namsan
