// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/fetch_pages.h"

#include <algorithm>

namespace namsan {

void FetchPages::add(uint32_t linear, const PageTranslation& translation)
{
    const size_t region = regionOf(linear);
    if (translation.large) {
        if (m_largeRegions.test(region))
            return;
        m_largeRegions.set(region);
    } else {
        auto& pages = m_pagesOfRegion[region];
        if (!pages)
            pages = std::make_unique<std::bitset<pagesOfRegion>>();
        if (pages->test(pageInRegion(linear)))
            return;
        pages->set(pageInRegion(linear));
    }
    auto& list = translation.global ? m_globalPages : m_pages;
    list.push_back({ linear & 0xfffff000, translation.physicalPage });
}

bool FetchPages::holds(uint32_t linear) const
{
    const size_t region = regionOf(linear);
    return m_largeRegions.test(region) || m_largeRegions.test(region ^ 1)
        || (m_pagesOfRegion[region] && m_pagesOfRegion[region]->test(pageInRegion(linear)));
}

bool FetchPages::hold(PageWalk& walk, const PageWalk::Control& control, bool exceptGlobals) const
{
    const auto isHeld = [&](const Page& page) { return holds(page, walk, control); };
    return std::ranges::all_of(m_pages, isHeld) && (exceptGlobals || std::ranges::all_of(m_globalPages, isHeld));
}

bool FetchPages::holds(const Page& page, PageWalk& walk, const PageWalk::Control& control) const
{
    const auto translation = walk.peek(control, page.linear, m_user);
    // Where one large page was, smaller ones would have to be looked at one by one.
    return translation && translation->physicalPage == page.physical && translation->executable
        && (translation->large || !m_largeRegions.test(regionOf(page.linear)));
}

void FetchPages::restart(uint64_t generation)
{
    for (auto* list : { &m_pages, &m_globalPages }) {
        for (const Page& page : *list)
            if (auto& pages = m_pagesOfRegion[regionOf(page.linear)])
                pages->reset(pageInRegion(page.linear));
        list->clear();
    }
    m_largeRegions.reset();
    m_generation = generation;
}

} // namespace namsan
