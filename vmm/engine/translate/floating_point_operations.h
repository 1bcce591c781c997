// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/instruction.h"
#include "vmm/engine/interpret/processor.h"

#include <cstdint>

namespace namsan {

// x87, MMX and SSE in translated code: which of their instructions run on the host's own unit, with the guest's
// registers and control words in it. That is so while no exception is unmasked and CR0 and CR4 let them run, which is
// part of a unit's mode; otherwise they are the interpreter's.

// The bits of unit_mode that hold for the processor now.
uint32_t floatingPointModeOf(const Processor&);

// Also WAIT and the fences.
bool isFloatingPoint(const Instruction&);
bool isNativeFloatingPoint(const Instruction&, uint32_t mode);

// Whether it may change what floatingPointModeOf() looks at, where the interpreter carries it out.
bool changesFloatingPointMode(const Instruction&);

// Whether it leaves its address and that of its operand in the x87's pointers. Intel SDM volume 1, 8.1.8.
bool setsX87Pointers(const Instruction&);

} // namespace namsan
