// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/memory_map.h"

namespace namsan {

std::vector<MemoryRange> firmwareMemoryMap(uint64_t ramSize)
{
    std::vector<MemoryRange> ranges {
        { 0, memorymap::endOfBaseMemory, RangeType::Memory },
        { memorymap::endOfBaseMemory, GuestMemory::videoHole, RangeType::Reserved },
        { memorymap::firmwareArea, memorymap::highMemory, RangeType::Reserved },
    };
    if (ramSize > memorymap::highMemory)
        ranges.push_back({ memorymap::highMemory, ramSize, RangeType::Memory });
    return ranges;
}

} // namespace namsan
