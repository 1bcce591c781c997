// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/engine/translate/guest_unit.h"
#include "vmm/engine/translate/runtime.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace namsan {

// A translated unit. Addresses of code are in the writable view.
struct TranslatedUnit {
    PhysicalAddress physical = 0;
    uint32_t linear = 0;
    uint32_t mode = 0;
    std::optional<PhysicalAddress> secondPage; // of an instruction that runs over the page's end
    uint8_t* entry = nullptr; // looks at Attention first
    uint8_t* uncheckedEntry = nullptr; // for jumps forward, of which no loop is made
    uint8_t* deadEntry = nullptr; // looks for what has taken its place
    bool dropped = false;
    std::vector<GuestUnit::Range> ranges;
    GuestUnit::Range rangeInSecondPage {};
};

// All translated units of one vCPU, by where they are and by what they were made of.
class UnitStore {
public:
    // ownsFlags: the Code flags of its pages are set for this processor alone.
    UnitStore(GuestMemory& memory, bool ownsFlags)
        : m_memory(memory)
        , m_ownsFlags(ownsFlags)
        , m_recent(recentCount)
    {
        m_units.reserve(recentCount);
    }

    TranslatedUnit* find(PhysicalAddress, uint32_t linear, uint32_t mode);
    TranslatedUnit& add(TranslatedUnit);
    HandlerSite& addHandlerSite(const HandlerSite& site) { return m_handlerSites.emplace_back(site); }

    // The bits of a page's 64-byte lines from one byte of it to another.
    static uint64_t linesOf(uint32_t first, uint32_t last);

    // Whether size bytes (within one page) hold something that a unit was made of.
    bool covers(PhysicalAddress, uint64_t size) const;
    bool holdsCodeOf(PhysicalAddress page) const { return m_pages.contains(page / GuestMemory::pageSize); }

    // Takes the units out that were made of those bytes, and gives each to the callback.
    template <class Callback> void drop(PhysicalAddress physical, uint64_t size, Callback&& onDropped)
    {
        if (!covers(physical, size))
            return;
        const uint64_t number = physical / GuestMemory::pageSize;
        Page& page = m_pages[number];
        const auto first = static_cast<uint32_t>(physical % GuestMemory::pageSize);
        const auto last = static_cast<uint32_t>(first + size - 1);
        page.lines = 0;
        std::erase_if(page.units, [&](TranslatedUnit* unit) {
            if (unit->dropped) // because of its other page
                return true;
            if (!overlaps(*unit, number, first, last)) {
                page.lines |= linesOf(*unit, number);
                return false;
            }
            unit->dropped = true;
            const uint64_t key = keyOf(unit->physical, unit->linear, unit->mode);
            m_units.erase(key);
            if (recentOf(key).key == key)
                recentOf(key) = {};
            onDropped(*unit);
            return true;
        });
        if (page.units.empty())
            m_pages.erase(number);
    }

    // Forgets everything, and takes the Code flags of its pages away where it owns them.
    void clear();

private:
    struct Page {
        uint64_t lines = 0; // bit n: the n-th 64 bytes hold something that a unit was made of
        std::vector<TranslatedUnit*> units;
    };

    static uint64_t keyOf(PhysicalAddress physical, uint32_t linear, uint32_t mode)
    {
        return physical << 32 | (linear & 0xfffff000) | mode;
    }
    // In front of the map, which is dear to ask and is asked again for every unit after each change of CR3.
    struct Recent {
        uint64_t key = ~uint64_t { 0 };
        TranslatedUnit* unit = nullptr;
    };
    static constexpr size_t recentCount = 1 << 15;
    Recent& recentOf(uint64_t key) { return m_recent[(key >> 32 ^ key >> 12 ^ key << 5) % recentCount]; }

    static uint64_t linesOf(const TranslatedUnit&, uint64_t page);
    static bool overlaps(const TranslatedUnit&, uint64_t page, uint32_t first, uint32_t last);
    void list(TranslatedUnit&, PhysicalAddress page);

    GuestMemory& m_memory;
    const bool m_ownsFlags;
    std::unordered_map<uint64_t, TranslatedUnit*> m_units; // by keyOf()
    std::vector<Recent> m_recent;
    std::unordered_map<uint64_t, Page> m_pages; // by page number
    std::deque<TranslatedUnit> m_all;
    std::deque<HandlerSite> m_handlerSites;
};

} // namespace namsan
