// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/devices/display/vga_registers.h"

#include <array>
#include <memory>
#include <optional>
#include <span>

namespace namsan {

// The 256 KiB of a VGA: four planes of 64 KiB behind a window whose place and meaning the registers decide.
// IBM PS/2 Hardware Interface Technical Reference, "Video Memory Organization" and "Graphics Controller Registers".
class VgaMemory {
public:
    static constexpr unsigned planeCount = 4;
    static constexpr uint32_t planeSize = 0x10000;

    VgaMemory()
        : m_planes(std::make_unique<Planes>())
    {
    }

    // Where an address of A0000-BFFFF falls into the window; empty where the VGA does not answer.
    static std::optional<uint32_t> offsetInWindow(const VgaRegisters&, PhysicalAddress);

    // One byte by the processor. Reading fills the latches; a write returns the planes that it changed, as a mask.
    uint8_t read(VgaRegisters&, uint32_t offset) const;
    uint8_t write(const VgaRegisters&, uint32_t offset, uint8_t value);

    std::span<uint8_t, planeSize> plane(unsigned number) { return (*m_planes)[number]; }
    std::span<const uint8_t, planeSize> plane(unsigned number) const { return (*m_planes)[number]; }

private:
    using Planes = std::array<std::array<uint8_t, planeSize>, planeCount>;

    std::unique_ptr<Planes> m_planes;
};

} // namespace namsan
