// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>

namespace namsan {

// Rows from top to bottom, the leftmost dot in bit 7.
using TextGlyph = std::array<uint8_t, 16>;

// A font for 256 characters in the order of code page 437, which the PC's ROM font has.
extern const std::array<TextGlyph, 256> textFont8x16;

// Code page 437 as Unicode, with the graphic characters of the codes below 20.
extern const std::array<char16_t, 256> codePage437;

} // namespace namsan
