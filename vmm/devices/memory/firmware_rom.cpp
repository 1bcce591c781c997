// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/memory/firmware_rom.h"

#include <algorithm>
#include <span>

namespace namsan {

namespace {
constexpr uint64_t largestCopy = 128 << 10;
constexpr PhysicalAddress endOfCopy = 0x100000;
} // namespace

FirmwareRom::FirmwareRom(GuestMemory& memory, const GuestMemory::Region& region)
    : m_memory(memory)
    , m_region(region)
{
    reset();
}

void FirmwareRom::reset()
{
    const uint64_t size = std::min(m_region.size, largestCopy);
    m_memory.write(endOfCopy - size, std::span<const uint8_t>(m_region.host + m_region.size - size, size));
}

} // namespace namsan
