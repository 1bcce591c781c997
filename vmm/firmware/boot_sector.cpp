// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/boot_sector.h"

#include "vmm/firmware/boot_file.h"
#include "vmm/firmware/little_endian.h"

#include <fmt/format.h>

namespace namsan {

namespace {

constexpr size_t sectorSize = 512;
constexpr size_t signatureOffset = 510;
constexpr uint16_t signature = 0xaa55;
constexpr uint16_t loadAddress = 0x7c00;
constexpr uint8_t firstHardDisk = 0x80;

CpuState stateAtEntry()
{
    CpuState state = CpuState::afterReset();
    state.cr0 = cr0::extensionType; // the caches are on
    for (SegmentState& segment : state.segments) {
        segment.selector = 0;
        segment.base = 0;
    }
    state.idtr = { 0, 0x3ff };
    state.gpr.fill(0);
    state.gpr[Edx] = firstHardDisk;
    state.gpr[Esp] = loadAddress;
    state.eip = loadAddress;
    state.eflags = eflags::alwaysOne | eflags::interruptEnable;
    return state;
}

} // namespace

Result<CpuState> loadBootSector(GuestMemory& memory, const std::string& path)
{
    const auto sector = readBootFile("boot sector", path, memory.ramSize());
    if (!sector)
        return sector.error();
    if (sector->size() != sectorSize)
        return Error { fmt::format("The boot sector {} has {} bytes, and a boot sector has 512. Name a file with just "
                                   "the sector.",
            path, sector->size()) };
    if (littleEndianAt<uint16_t>(*sector, signatureOffset) != signature)
        return Error { fmt::format("The boot sector {} does not end with the bytes 55 AA, which make it one. Put them "
                                   "at offset 510.",
            path) };
    memory.write(loadAddress, *sector);
    return stateAtEntry();
}

} // namespace namsan
