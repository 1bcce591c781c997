// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/processor.h"

namespace namsan {

// #GP(0) outside privilege level 0; in real mode the level is 0.
inline void requireLevel0(const Processor& processor)
{
    if (processor.cpl != 0)
        throwGeneralProtection();
}

// #UD for instructions that real mode and virtual-8086 mode do not know.
inline void requireProtectedMode(const Processor& processor)
{
    if (processor.paragraphSegments())
        throwInvalidOpcode();
}

} // namespace namsan
