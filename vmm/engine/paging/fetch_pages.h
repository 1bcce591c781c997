// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/paging/page_walk.h"

#include <bitset>
#include <cstdint>
#include <memory>
#include <vector>

namespace namsan {

// The pages whose translations instruction fetches were given and may have remembered, and the number that says for how
// long: whoever remembers one together with the generation may use it again while the generation is the same. So after
// a load of CR3 that maps the same code at the same place, nothing remembered is lost.
class FetchPages {
public:
    explicit FetchPages(bool user)
        : m_user(user)
        , m_pagesOfRegion(regionCount)
    {
    }

    uint64_t generation() const { return m_generation; }

    // A translation was given out for use.
    void add(uint32_t linear, const PageTranslation&);

    // Whether something was given out that INVLPG of this address ends.
    bool holds(uint32_t linear) const;

    // Whether all that was given out would be found again by a walk now; exceptGlobals: all but global pages.
    bool hold(PageWalk&, const PageWalk::Control&, bool exceptGlobals) const;

    // Nothing that was given out holds any more. generation: one that nobody has had.
    void restart(uint64_t generation);

private:
    static constexpr size_t regionCount = 2048; // of 2 MiB; a large page is one or two of them
    static constexpr size_t pagesOfRegion = 512;

    struct Page {
        uint32_t linear;
        PhysicalAddress physical;
    };
    bool holds(const Page&, PageWalk&, const PageWalk::Control&) const;
    static size_t regionOf(uint32_t linear) { return linear >> 21; }
    static size_t pageInRegion(uint32_t linear) { return linear >> 12 & (pagesOfRegion - 1); }

    bool m_user;
    uint64_t m_generation = 0;
    std::vector<Page> m_pages; // for a large page, any one page of it
    std::vector<Page> m_globalPages; // likewise
    std::bitset<regionCount> m_largeRegions; // those that stand for a whole large page
    std::vector<std::unique_ptr<std::bitset<pagesOfRegion>>> m_pagesOfRegion; // what the list holds
};

} // namespace namsan
