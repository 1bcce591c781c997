// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

#include <cstdint>
#include <vector>

namespace namsan {

// A device's side of the physical addresses that it owns. Called under the board lock.
class MmioHandler {
public:
    virtual ~MmioHandler() = default;

    // size is 1, 2, 4 or 8 bytes and never runs over the end of the claimed range; values are little-endian.
    virtual uint64_t mmioRead(PhysicalAddress, unsigned size) = 0;
    virtual void mmioWrite(PhysicalAddress, unsigned size, uint64_t value) = 0;
};

// Physical addresses that are not memory: one owner per address. Unowned addresses read as all ones and swallow
// writes; an access that runs over the end of an owner's range is done byte by byte. All calls under the board lock.
class MmioBus {
public:
    // Gives base..base+size-1 to the handler. An overlap is a programmer's mistake (asserted).
    void claim(PhysicalAddress base, uint64_t size, MmioHandler&);
    void release(PhysicalAddress base);
    // Whether nobody owns any of them: for ranges that the guest moves.
    bool isFree(PhysicalAddress base, uint64_t size) const;

    uint64_t read(PhysicalAddress, unsigned size);
    void write(PhysicalAddress, unsigned size, uint64_t value);

private:
    struct Range {
        PhysicalAddress base;
        uint64_t size;
        MmioHandler* handler;
    };

    const Range* find(PhysicalAddress) const;

    std::vector<Range> m_ranges; // sorted by base
};

} // namespace namsan
