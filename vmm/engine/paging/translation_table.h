// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/engine/paging/page_walk.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace namsan {

// The cached translations of one privilege in one address space: a software TLB, found by the low bits of the page
// number.
struct TranslationTable {
    static constexpr size_t entryCount = 1024;
    static constexpr uint32_t pageMask = 0xfffff000;
    static constexpr uint32_t noTag = 0xfff; // no tag that an access makes has these bits

    // What the fast path looks at. A tag is the linear page; an access keeps the bits below its size, so that one that
    // is not aligned never matches and takes the slow way, which sorts out page crossings.
    struct Entry {
        uint32_t readTag = noTag; // RAM that may be read
        uint32_t writeTag = noTag; // plain RAM that may be written, its dirty bit set
        uintptr_t addend = 0; // host address minus linear address
    };
    static_assert(std::is_standard_layout_v<Entry>);

    // What a page walk found, whether RAM or not, for the slow way.
    struct Cached {
        uint32_t linearPage = noTag;
        PageTranslation translation;
    };

    static size_t indexOf(uint32_t linear) { return linear / GuestMemory::pageSize % entryCount; }

    void forget(size_t index)
    {
        entries[index] = {};
        cached[index] = {};
        used[index / 64] &= ~(uint64_t { 1 } << index % 64);
    }

    // Calls back with the number of each entry that holds something; the callback may forget it.
    template <class Callback> void forEachUsed(Callback&& callback)
    {
        for (size_t word = 0; word < used.size(); ++word)
            for (uint64_t rest = used[word]; rest; rest &= rest - 1)
                callback(word * 64 + static_cast<size_t>(std::countr_zero(rest)));
    }

    std::array<Entry, entryCount> entries;
    std::array<Cached, entryCount> cached;
    std::array<uint64_t, entryCount / 64> used {}; // one bit for each cached entry that holds something
    bool user = false;
};

} // namespace namsan
