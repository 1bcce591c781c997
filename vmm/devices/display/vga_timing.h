// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/devices/display/vga_registers.h"
#include "vmm/time/clock.h"

namespace namsan {

// Where the beam is on the screen of a VGA that has been running since time 0.
struct VgaBeam {
    bool displaying; // false: in a horizontal or vertical blank
    bool verticalRetrace;
};

// From the CRT controller's registers and the dot clock, which is what guests wait for and measure.
VgaBeam vgaBeam(const VgaRegisters&, GuestTime now);

// How long one picture takes, 1/70 s in mode 3.
GuestTime vgaFrameTime(const VgaRegisters&);

} // namespace namsan
