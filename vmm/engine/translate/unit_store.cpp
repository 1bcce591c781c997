// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/unit_store.h"

#include <algorithm>
#include <utility>

namespace namsan {

static constexpr unsigned lineBits = 6;

uint64_t UnitStore::linesOf(uint32_t first, uint32_t last)
{
    return (~uint64_t { 0 } << (first >> lineBits)) & (~uint64_t { 0 } >> (63 - (last >> lineBits)));
}

static bool isIn(const TranslatedUnit& unit, uint64_t page)
{
    return unit.physical / GuestMemory::pageSize == page;
}

static bool isSecond(const TranslatedUnit& unit, uint64_t page)
{
    return unit.secondPage && *unit.secondPage / GuestMemory::pageSize == page;
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

TranslatedUnit* UnitStore::find(PhysicalAddress physical, uint32_t linear, uint32_t mode)
{
    const uint64_t key = keyOf(physical, linear, mode);
    Recent& recent = recentOf(key);
    if (recent.key == key)
        return recent.unit;
    // That there is none is remembered, too: cold places are asked for again and again until they are hot.
    const auto found = m_units.find(key);
    recent = { key, found == m_units.end() ? nullptr : found->second };
    return recent.unit;
}

TranslatedUnit& UnitStore::add(TranslatedUnit unit)
{
    TranslatedUnit& added = m_all.emplace_back(std::move(unit));
    const uint64_t key = keyOf(added.physical, added.linear, added.mode);
    m_units[key] = &added;
    recentOf(key) = { key, &added };
    list(added, added.physical);
    if (added.secondPage && *added.secondPage / GuestMemory::pageSize != added.physical / GuestMemory::pageSize)
        list(added, *added.secondPage);
    return added;
}

void UnitStore::list(TranslatedUnit& unit, PhysicalAddress physical)
{
    const uint64_t number = physical / GuestMemory::pageSize;
    Page& page = m_pages[number];
    page.lines |= linesOf(unit, number);
    page.units.push_back(&unit);
}

bool UnitStore::covers(PhysicalAddress physical, uint64_t size) const
{
    const auto page = m_pages.find(physical / GuestMemory::pageSize);
    if (page == m_pages.end())
        return false;
    const auto first = static_cast<uint32_t>(physical % GuestMemory::pageSize);
    const auto last = static_cast<uint32_t>(first + size - 1);
    return (page->second.lines & linesOf(first, last))
        && std::ranges::any_of(page->second.units, [=, number = page->first](const TranslatedUnit* unit) {
               return !unit->dropped && overlaps(*unit, number, first, last);
           });
}

void UnitStore::clear()
{
    for (const auto& [number, page] : m_pages)
        if (m_ownsFlags)
            m_memory.clearFlag(number * GuestMemory::pageSize, GuestMemory::Code);
    m_units.clear();
    std::ranges::fill(m_recent, Recent {});
    m_pages.clear();
    m_all.clear();
    m_handlerSites.clear();
}

} // namespace namsan
