// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

namespace namsan {

// Addresses of the real-mode environment below.
namespace biosenvironment {
constexpr PhysicalAddress dataArea = 0x400;
constexpr uint16_t stubSegment = 0xf000;
constexpr uint16_t interruptReturn = 0xff53; // in stubSegment; where the IBM PC's BIOS has its IRET
} // namespace biosenvironment

// Leaves in memory what a PC's BIOS leaves there for the operating system: an interrupt vector table, the BIOS data
// area, and in the ROM's place handlers that the vectors point to.
//
// The handlers do nothing but return: there are no BIOS services. Those of the hardware interrupts tell the interrupt
// controllers that they are done, and that of the timer counts the ticks at 0040:006C, too. A jump to FFFF:0000 resets
// the machine. IBM PC/AT Technical Reference (1984), "BIOS".
void writeBiosEnvironment(GuestMemory&);

} // namespace namsan
