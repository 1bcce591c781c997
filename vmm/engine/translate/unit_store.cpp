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

uint64_t UnitStore::linesOf(const TranslatedUnit& unit)
{
    uint64_t lines = 0;
    for (const auto& range : unit.ranges)
        lines |= linesOf(range.first, range.last);
    return lines;
}

bool UnitStore::overlaps(const TranslatedUnit& unit, uint32_t first, uint32_t last)
{
    return std::ranges::any_of(
        unit.ranges, [=](const auto& range) { return range.first <= last && first <= range.last; });
}

TranslatedUnit* UnitStore::find(PhysicalAddress physical, uint32_t linear, uint32_t mode)
{
    const uint64_t key = keyOf(physical, linear, mode);
    Recent& recent = recentOf(key);
    if (recent.key == key)
        return recent.unit;
    const auto found = m_units.find(key);
    if (found == m_units.end())
        return nullptr;
    recent = { key, found->second };
    return found->second;
}

TranslatedUnit& UnitStore::add(TranslatedUnit unit)
{
    TranslatedUnit& added = m_all.emplace_back(std::move(unit));
    m_units[keyOf(added.physical, added.linear, added.mode)] = &added;
    Page& page = m_pages[added.physical / GuestMemory::pageSize];
    page.lines |= linesOf(added);
    page.units.push_back(&added);
    return added;
}

bool UnitStore::covers(PhysicalAddress physical, uint64_t size) const
{
    const auto page = m_pages.find(physical / GuestMemory::pageSize);
    if (page == m_pages.end())
        return false;
    const auto first = static_cast<uint32_t>(physical % GuestMemory::pageSize);
    const auto last = static_cast<uint32_t>(first + size - 1);
    return (page->second.lines & linesOf(first, last))
        && std::ranges::any_of(
            page->second.units, [=](const TranslatedUnit* unit) { return overlaps(*unit, first, last); });
}

void UnitStore::clear()
{
    for (const auto& [number, page] : m_pages)
        m_memory.clearFlag(number * GuestMemory::pageSize, GuestMemory::Code);
    m_units.clear();
    std::ranges::fill(m_recent, Recent {});
    m_pages.clear();
    m_all.clear();
    m_handlerSites.clear();
}

} // namespace namsan
