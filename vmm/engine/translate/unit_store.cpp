// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/unit_store.h"

#include "vmm/engine/decode/code_cache.h"

#include <algorithm>
#include <utility>

namespace namsan {

static constexpr auto pageSize = static_cast<uint32_t>(GuestMemory::pageSize);

uint64_t UnitStore::linesOf(uint32_t first, uint32_t last)
{
    return CodeCache::linesOf(first, last - first + 1);
}

static bool isIn(const TranslatedUnit& unit, uint64_t page)
{
    return unit.physical / pageSize == page;
}

static bool isSecond(const TranslatedUnit& unit, uint64_t page)
{
    return unit.secondPage && *unit.secondPage / pageSize == page;
}

uint64_t UnitStore::linesOf(const TranslatedUnit& unit, uint64_t page)
{
    uint64_t lines = 0;
    if (isIn(unit, page))
        for (const auto& range : unit.ranges)
            lines |= linesOf(range.first, range.last);
    if (isSecond(unit, page))
        lines |= linesOf(unit.rangeInSecondPage.first, unit.rangeInSecondPage.last);
    return lines;
}

bool UnitStore::overlaps(const TranslatedUnit& unit, uint64_t page, uint32_t first, uint32_t last)
{
    const auto overlapsRange = [=](const auto& range) { return range.first <= last && first <= range.last; };
    return (isIn(unit, page) && std::ranges::any_of(unit.ranges, overlapsRange))
        || (isSecond(unit, page) && overlapsRange(unit.rangeInSecondPage));
}

TranslatedUnit& UnitStore::add(TranslatedUnit unit)
{
    TranslatedUnit& added = m_parts[m_part].units.emplace_back(std::move(unit));
    m_units.put(keyOf(added.physical, added.mode), added);
    list(added, added.physical);
    if (!added.servesAnyPage())
        m_pages[added.physical / pageSize].linear = added.linear / pageSize;
    if (added.secondPage && *added.secondPage / pageSize != added.physical / pageSize)
        list(added, *added.secondPage);
    return added;
}

void UnitStore::list(TranslatedUnit& unit, PhysicalAddress physical)
{
    const uint64_t number = physical / pageSize;
    Page& page = m_pages[number];
    page.lines |= linesOf(unit, number);
    page.units.push_back(&unit);
}

bool UnitStore::covers(PhysicalAddress physical, uint64_t size) const
{
    const auto page = m_pages.find(physical / pageSize);
    if (page == m_pages.end())
        return false;
    const auto first = static_cast<uint32_t>(physical % pageSize);
    const auto last = static_cast<uint32_t>(first + size - 1);
    return (page->second.lines & linesOf(first, last))
        && std::ranges::any_of(page->second.units, [=, number = page->first](const TranslatedUnit* unit) {
               return !unit->dropped && overlaps(*unit, number, first, last);
           });
}

bool UnitStore::isShared(PhysicalAddress physical) const
{
    const auto page = m_pages.find(physical / pageSize);
    return page != m_pages.end() && page->second.shared;
}

void UnitStore::share(PhysicalAddress physical)
{
    Page& page = m_pages[physical / pageSize];
    page.linear.reset();
    page.shared = true;
}

bool UnitStore::servesAt(PhysicalAddress physical, uint32_t linear) const
{
    const auto page = m_pages.find(physical / pageSize);
    return page == m_pages.end() || !page->second.linear || *page->second.linear == linear / pageSize;
}

bool UnitStore::beginPart(size_t part)
{
    m_part = part;
    Part& emptied = m_parts[part];
    if (emptied.units.empty())
        return false;
    for (TranslatedUnit& unit : emptied.units)
        if (!std::exchange(unit.dropped, true))
            forget(unit);
    for (auto& [number, page] : m_pages) {
        std::erase_if(page.units, [](const TranslatedUnit* unit) { return unit->dropped; });
        page.lines = 0;
        for (const TranslatedUnit* unit : page.units)
            page.lines |= linesOf(*unit, number);
    }
    std::erase_if(m_pages,
        [](const auto& numberAndPage) { return numberAndPage.second.units.empty() && !numberAndPage.second.shared; });
    emptied = {};
    return true;
}

void UnitStore::clear()
{
    for (const auto& [number, page] : m_pages)
        if (m_ownsFlags)
            m_memory.clearFlag(number * pageSize, GuestMemory::Code);
    m_units.clear();
    m_pages.clear();
    m_parts.fill({});
    m_part = 0;
}

} // namespace namsan
