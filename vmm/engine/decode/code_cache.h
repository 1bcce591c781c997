// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

namespace namsan {

// Decoded blocks of instructions by physical page. Of one vCPU.
class CodeCache {
public:
    virtual ~CodeCache() = default;

    // Memory with the Code flag was written by this vCPU: blocks decoded from those bytes are gone, and if the block
    // that runs is among them, it ends after the instruction that runs.
    virtual void codeWrittenHere(PhysicalAddress, unsigned size) = 0;
};

} // namespace namsan
