// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/vga_memory.h"

#include <bit>

namespace namsan {

namespace {
using Graphics = VgaRegisters::Graphics;
using Sequencer = VgaRegisters::Sequencer;

constexpr uint32_t offsetBits = VgaMemory::planeSize - 1;

bool chainFour(const VgaRegisters& registers)
{
    return bit(registers.sequencer[Sequencer::MemoryMode], 3);
}

// Bit n of a four-bit colour, as all the dots of a byte.
uint8_t expanded(uint8_t colour, unsigned plane)
{
    return bit(colour, plane) ? 0xff : 0x00;
}

// "Data Rotate Register", function select.
uint8_t combined(unsigned function, uint8_t data, uint8_t latch)
{
    switch (function & 3) {
    case 1:
        return data & latch;
    case 2:
        return data | latch;
    case 3:
        return data ^ latch;
    default:
        return data;
    }
}

uint8_t masked(uint8_t mask, uint8_t data, uint8_t latch)
{
    return static_cast<uint8_t>((data & mask) | (latch & ~mask));
}

// What goes into one plane ("Graphics Mode Register", write mode).
uint8_t written(const VgaRegisters& registers, unsigned plane, uint8_t value)
{
    const auto& graphics = registers.graphics;
    const uint8_t latch = registers.latches[plane];
    const uint8_t bitMask = graphics[Graphics::BitMask];
    const unsigned function = graphics[Graphics::DataRotate] >> 3;
    const uint8_t rotated = std::rotr(value, graphics[Graphics::DataRotate] & 7);
    const uint8_t setReset = expanded(graphics[Graphics::SetReset], plane);
    switch (graphics[Graphics::Mode] & 3) {
    case 0: {
        const uint8_t data = bit(graphics[Graphics::EnableSetReset], plane) ? setReset : rotated;
        return masked(bitMask, combined(function, data, latch), latch);
    }
    case 1:
        return latch;
    case 2:
        return masked(bitMask, combined(function, expanded(value, plane), latch), latch);
    default:
        return masked(rotated & bitMask, setReset, latch);
    }
}
} // namespace

std::optional<uint32_t> VgaMemory::offsetInWindow(const VgaRegisters& registers, PhysicalAddress address)
{
    struct Window {
        PhysicalAddress base;
        uint32_t size;
    };
    // "Miscellaneous Register" of the graphics controller, memory map.
    static constexpr std::array<Window, 4> windows { {
        { 0xa0000, 0x20000 },
        { 0xa0000, 0x10000 },
        { 0xb0000, 0x08000 },
        { 0xb8000, 0x08000 },
    } };
    const Window& window = windows[registers.graphics[Graphics::Miscellaneous] >> 2 & 3u];
    if (!registers.memoryEnabled() || address < window.base || address - window.base >= window.size)
        return {};
    return static_cast<uint32_t>(address - window.base);
}

uint8_t VgaMemory::read(VgaRegisters& registers, uint32_t offset) const
{
    const auto& graphics = registers.graphics;
    unsigned plane = graphics[Graphics::ReadMapSelect] & 3u;
    uint32_t at = offset & offsetBits;
    if (chainFour(registers)) {
        plane = offset & 3;
        at &= ~3u;
    } else if (bit(graphics[Graphics::Mode], 4)) { // odd/even
        plane = (plane & 2) | (offset & 1);
        at &= ~1u;
    }

    for (unsigned i = 0; i < planeCount; ++i)
        registers.latches[i] = (*m_planes)[i][at];
    if (!bit(graphics[Graphics::Mode], 3))
        return registers.latches[plane];

    // Read mode 1: the dots whose colour is the one to compare with, in the planes that care.
    uint8_t equal = 0xff;
    for (unsigned i = 0; i < planeCount; ++i) {
        if (bit(graphics[Graphics::ColourDoNotCare], i))
            equal &= static_cast<uint8_t>(~(registers.latches[i] ^ expanded(graphics[Graphics::ColourCompare], i)));
    }
    return equal;
}

uint8_t VgaMemory::write(const VgaRegisters& registers, uint32_t offset, uint8_t value)
{
    uint8_t mask = registers.sequencer[Sequencer::MapMask];
    uint32_t at = offset & offsetBits;
    if (chainFour(registers)) {
        mask &= static_cast<uint8_t>(1u << (offset & 3));
        at &= ~3u;
    } else if (!bit(registers.sequencer[Sequencer::MemoryMode], 2)) { // odd/even
        mask &= offset & 1 ? 0b1010 : 0b0101;
        at &= ~1u;
    }

    uint8_t changed = 0;
    for (unsigned plane = 0; plane < planeCount; ++plane) {
        if (!bit(mask, plane))
            continue;
        uint8_t& byte = (*m_planes)[plane][at];
        const uint8_t now = written(registers, plane, value);
        if (byte != now)
            changed |= static_cast<uint8_t>(1u << plane);
        byte = now;
    }
    return changed;
}

} // namespace namsan
