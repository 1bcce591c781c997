// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/width.h"
#include "vmm/engine/interpret/processor.h"

#include <cstdint>

namespace namsan {

// Bits of DR6, the reasons of a debug exception. Intel SDM volume 3, figure 17-1.
namespace dr6 {
constexpr uint32_t breakpoints = 0xf; // B0 to B3
constexpr uint32_t debugRegisterAccess = 1 << 13; // BD
constexpr uint32_t singleStep = 1 << 14; // BS
constexpr uint32_t taskSwitch = 1 << 15; // BT
} // namespace dr6

// Bits of DR7.
namespace dr7 {
constexpr uint32_t localEnables = 0x155; // L0 to L3, LE: cleared by a task switch
constexpr uint32_t enables = 0xff; // L0, G0 to L3, G3
constexpr uint32_t generalDetect = 1 << 13;
} // namespace dr7

// The registers as MOV sees them; privilege is the caller's. DR4 and DR5 are DR6 and DR7 unless CR4.DE is set, which
// makes them #UD; DR7.GD turns each access into #DB.
uint32_t readDebugRegister(Processor&, unsigned number);
void writeDebugRegister(Processor&, unsigned number, uint32_t value);
void requireDebugRegister(const Processor&, unsigned number); // #UD: before privilege is looked at

// Arms what DR0 to DR3 and DR7 now ask for.
void applyBreakpoints(Processor&);

// A task switch disables what was enabled for the old task alone. Intel SDM volume 3, 7.3.
void disableLocalBreakpoints(Processor&);

// The instruction breakpoints that this instruction would hit, as bits of DR6.
uint32_t instructionBreakpointsAt(const Processor&, uint32_t linear);

// With CR4.DE: notes the I/O breakpoints that an access to a port has hit, for the trap after the instruction.
void notePortAccess(Processor&, uint16_t port, Width);

} // namespace namsan
