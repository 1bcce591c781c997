// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace namsan {

// What follows F0 in scan code set 2 is a release, which set 1 says by bit 7.
constexpr uint8_t breakPrefix = 0xf0;
constexpr uint8_t releasedBit = 0x80;

// A byte of scan code set 2 as the keyboard controller turns it into set 1; what is no scan code stays.
// IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller", scan code translation.
uint8_t scanCodeSet1Of(uint8_t set2);

} // namespace namsan
