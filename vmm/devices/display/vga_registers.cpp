// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/vga_registers.h"

#include <algorithm>

namespace namsan {

const std::array<uint8_t, 5> VgaRegisters::sequencerBits { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
const std::array<uint8_t, 25> VgaRegisters::crtcBits { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0x3f,
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xef, 0xff };
const std::array<uint8_t, 9> VgaRegisters::graphicsBits { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };
const std::array<uint8_t, 21> VgaRegisters::attributeBits { 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f };

namespace {
constexpr uint8_t sixBits = 0x3f;

// 6 bits of a DAC as 8: full stays full.
uint32_t widened(uint8_t component)
{
    return static_cast<uint32_t>(component << 2 | component >> 4);
}

template <size_t count> bool fits(const std::array<uint8_t, count>& registers, const std::array<uint8_t, count>& bits)
{
    return std::ranges::equal(registers, bits, [](uint8_t value, uint8_t mask) { return !(value & ~mask); });
}
} // namespace

void VgaRegisters::setTextMode3()
{
    const auto kept = latches;
    *this = {};
    latches = kept;
    miscellaneousOutput = 0x67;
    videoSubsystemEnable = 1;
    sequencer = { 0x03, 0x00, 0x03, 0x00, 0x02 };
    crtc = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e,
        0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff };
    graphics = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff };
    attribute = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c,
        0x00, 0x0f, 0x08, 0x00 };
    attributeIndex = paletteAddressSource;
    pixelMask = 0xff;

    // The 64 colours of the EGA: bits 0 to 2 are two thirds of blue, green and red, bits 3 to 5 one third.
    for (unsigned index = 0; index < 64; ++index) {
        for (unsigned component = 0; component < 3; ++component) {
            const unsigned blueFirst = 2 - component;
            dac[index][component]
                = static_cast<uint8_t>((bit(index, blueFirst) ? 0x2a : 0) + (bit(index, blueFirst + 3) ? 0x15 : 0));
        }
    }
}

bool VgaRegisters::possible() const
{
    const auto isColour = [](const std::array<uint8_t, 3>& components) {
        return std::ranges::all_of(components, [](uint8_t component) { return component <= sixBits; });
    };
    return fits(sequencer, sequencerBits) && fits(crtc, crtcBits) && fits(graphics, graphicsBits)
        && fits(attribute, attributeBits) && !(attributeIndex & ~sixBits) && attributeTakesData <= 1
        && videoSubsystemEnable <= 1 && (dacState == 0 || dacState == 3) && dacComponent <= 2 && isColour(dacWritten)
        && std::ranges::all_of(dac, isColour);
}

// Attribute controller, "Internal Palette" and "Color Select Register": 6 bits of palette, whose upper ones the colour
// select register may replace, and two more from there.
uint32_t VgaRegisters::colour(unsigned index) const
{
    const uint8_t select = attribute[Attribute::ColourSelect];
    unsigned address = attribute[index & attribute[Attribute::ColourPlaneEnable] & 0x0fu];
    if (bit(attribute[Attribute::ModeControl], 7))
        address = (address & 0x0fu) | (select & 3u) << 4;
    address |= (select & 0x0cu) << 4;
    const auto& [red, green, blue] = dac[address & pixelMask];
    return 0xff000000u | widened(red) << 16 | widened(green) << 8 | widened(blue);
}

} // namespace namsan
