// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/paging/fetch_pages.h"
#include "vmm/engine/paging/translation_table.h"

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <vector>

namespace namsan {

class FlatTables;

// What is cached of one address space. Only the set of the address space that CR3 names counts; the others are
// memories of what was true, to be looked at again before they count (LinearMemory does that).
struct TranslationSet {
    TranslationSet();
    ~TranslationSet();

    uint32_t directory = 0; // the page directory's address
    uint64_t lastUse = 0;
    uint64_t specialEpoch = 0; // LinearMemory's when the set last counted
    uint64_t invalidations = 0; // likewise
    std::array<TranslationTable, 2> tables; // by LinearMemory::Privilege
    std::bitset<1024> hadLargePages; // the 4 MiB regions with entries of large pages
    FetchPages userFetches { true };
    std::unique_ptr<FlatTables> flat; // where there are any
};

// The sets of the address spaces that ran last.
class TranslationSets {
public:
    static constexpr size_t mostSets = 64;

    TranslationSets();
    ~TranslationSets();

    // The set of that page directory; one that is empty, or was another's longest ago, where there is none. The second
    // says whether it was there.
    struct Found {
        TranslationSet* set;
        bool wasThere;
    };
    Found find(uint32_t directory);

    TranslationSet& first() { return *m_sets.front(); }
    const std::vector<std::unique_ptr<TranslationSet>>& all() const { return m_sets; }

private:
    TranslationSet& leastRecentlyUsed();

    uint64_t m_now = 0;
    std::vector<uint32_t> m_directories; // of m_sets
    std::vector<std::unique_ptr<TranslationSet>> m_sets;
};

} // namespace namsan
