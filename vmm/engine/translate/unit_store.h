// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/engine/translate/code_parts.h"
#include "vmm/engine/translate/guest_unit.h"
#include "vmm/engine/translate/native_operations.h"
#include "vmm/engine/translate/runtime.h"
#include "vmm/engine/translate/unit_index.h"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace namsan {

// A translated unit. Addresses of code are in the writable view.
struct TranslatedUnit {
    PhysicalAddress physical = 0;
    uint32_t linear = 0; // as in GuestUnit
    uint32_t mode = 0;
    std::optional<PhysicalAddress> secondPage; // of an instruction that runs over the page's end
    uint8_t* tableEntry = nullptr; // for who comes by the jump table, with the linear address in r8d
    uint8_t* entry = nullptr; // looks at Attention first
    uint8_t* uncheckedEntry = nullptr; // for jumps forward, of which no loop is made
    uint8_t* deadEntry = nullptr; // looks for what has taken its place
    bool dropped = false;
    std::vector<GuestUnit::Range> ranges;
    GuestUnit::Range rangeInSecondPage {};

    bool servesAnyPage() const { return mode & unit_mode::anyPage; }
    bool servesAt(uint32_t address) const { return servesAnyPage() || linear == address; }
};

// All translated units of one vCPU, by where they are and by what they were made of.
class UnitStore {
public:
    // ownsFlags: the Code flags of its pages are set for this processor alone.
    UnitStore(GuestMemory& memory, bool ownsFlags)
        : m_memory(memory)
        , m_ownsFlags(ownsFlags)
    {
    }

    // It may be one that serves at another linear page.
    TranslatedUnit* find(PhysicalAddress physical, uint32_t mode) const { return m_units.find(keyOf(physical, mode)); }
    TranslatedUnit& add(TranslatedUnit);
    HandlerSite& addHandlerSite(const HandlerSite& site) { return m_parts[m_part].handlerSites.emplace_back(site); }

    // The bits of a page's 64-byte lines from one byte of it to another.
    static uint64_t linesOf(uint32_t first, uint32_t last);

    // Whether size bytes (within one page) hold something that a unit was made of.
    bool covers(PhysicalAddress, uint64_t size) const;
    bool holdsCodeOf(PhysicalAddress page) const { return m_pages.contains(page / GuestMemory::pageSize); }

    // Whether what is in the page was found at several linear pages, so that its units have to serve at any.
    bool isShared(PhysicalAddress) const;
    // Whether its units serve, as far as is known, at that linear address.
    bool servesAt(PhysicalAddress, uint32_t linear) const;
    // From now on, until something new is in the page. Its units must be gone.
    void share(PhysicalAddress);

    // Takes the units out that were made of those bytes, and gives each to the callback.
    template <class Callback> void drop(PhysicalAddress physical, uint64_t size, Callback&& onDropped)
    {
        const uint64_t number = physical / GuestMemory::pageSize;
        const auto found = m_pages.find(number);
        if (found == m_pages.end() || (!found->second.units.empty() && !covers(physical, size)))
            return;
        Page& page = found->second;
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
            forget(*unit);
            onDropped(*unit);
            return true;
        });
        if (page.units.empty())
            m_pages.erase(found);
    }

    // Forgets everything, and takes the Code flags of its pages away where it owns them.
    void clear();

    // Forgets what was emitted into that part of the code region; what is added from now on belongs there. The pages
    // keep their Code flags until something is written there. False: nothing was there.
    bool beginPart(size_t part);

private:
    struct Part {
        std::deque<TranslatedUnit> units;
        std::deque<HandlerSite> handlerSites;
    };
    struct Page {
        uint64_t lines = 0; // bit n: the n-th 64 bytes hold something that a unit was made of
        std::vector<TranslatedUnit*> units;
        std::optional<uint32_t> linear; // the page where those that begin here serve; nothing: at any
        bool shared = false; // there may be none, but there were
    };

    static uint64_t keyOf(PhysicalAddress physical, uint32_t mode)
    {
        return physical << unit_mode::bits | (mode & ~unit_mode::anyPage);
    }
    void forget(const TranslatedUnit& unit) { m_units.erase(keyOf(unit.physical, unit.mode)); }
    static uint64_t linesOf(const TranslatedUnit&, uint64_t page);
    static bool overlaps(const TranslatedUnit&, uint64_t page, uint32_t first, uint32_t last);
    void list(TranslatedUnit&, PhysicalAddress page);

    GuestMemory& m_memory;
    const bool m_ownsFlags;
    UnitIndex m_units; // by keyOf()
    std::unordered_map<uint64_t, Page> m_pages; // by page number
    std::array<Part, CodeParts::most> m_parts;
    size_t m_part = 0; // the current one
};

} // namespace namsan
