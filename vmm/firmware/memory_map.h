// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

#include <cstdint>
#include <vector>

namespace namsan {

namespace memorymap {
constexpr PhysicalAddress endOfBaseMemory = 0x9fc00; // 639 KiB: the last one would be the EBDA's
constexpr PhysicalAddress firmwareArea = 0xe0000; // to FFFFF: ACPI tables and what else firmware leaves
constexpr PhysicalAddress highMemory = 0x100000;
} // namespace memorymap

// ACPI 6.5, table 15.1: the types of address ranges.
enum class RangeType : uint32_t {
    Memory = 1,
    Reserved = 2,
};

struct MemoryRange {
    uint64_t base;
    uint64_t end;
    RangeType type;

    uint64_t size() const { return end - base; }
};

// What a BIOS tells an operating system of a machine with that much RAM (int 15h, AX=E820h): sorted, none empty.
std::vector<MemoryRange> firmwareMemoryMap(uint64_t ramSize);

} // namespace namsan
