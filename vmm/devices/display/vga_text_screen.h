// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/devices/display/vga_memory.h"
#include "vmm/devices/display/vga_registers.h"
#include "vmm/display/text_mode_painter.h"

#include <string>
#include <vector>

namespace namsan {

// What an alphanumeric mode shows, taken out of registers and planes: characters in plane 0, attributes in plane 1.
TextScreen vgaTextScreen(const VgaRegisters&, const VgaMemory&);

// The fonts in plane 2 that attribute bit 3 = 0 and 1 choose.
std::array<TextFont, 2> vgaFonts(const VgaRegisters&, const VgaMemory&);

// The screen's lines as UTF-8 without trailing blanks. Characters mean what they do in code page 437, since nobody can
// know what a font of the guest's own looks like.
std::vector<std::string> textLines(const TextScreen&);

} // namespace namsan
