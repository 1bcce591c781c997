// SPDX-License-Identifier: GPL-3.0-or-later
// What LinearMemory does for flat tables, which translated code reads.
#include "vmm/engine/paging/flat_tables.h"
#include "vmm/engine/paging/linear_memory.h"

namespace namsan {

Result<void> LinearMemory::startFlat(size_t tableBytes)
{
    auto guarded = GuardedMemory::create(m_memory);
    if (!guarded)
        return guarded.error();
    auto flat = FlatMemory::create(std::move(*guarded));
    if (!flat)
        return flat.error();
    auto tables = FlatTables::create(**flat, m_memory);
    if (!tables)
        return tables.error();
    m_flatMemory = std::move(*flat);
    m_set->flat = std::move(*tables);
    m_flatBudget = tableBytes;
    m_fillsFlat = true;
    return {};
}

// Where the host gives no more tables, those of the address space that did not run for longest are taken.
void LinearMemory::provideFlat(TranslationSet& set)
{
    auto tables = FlatTables::create(*m_flatMemory, m_memory);
    if (tables) {
        set.flat = std::move(*tables);
        return;
    }
    TranslationSet* from = leastRecentlyUsedFlat(0);
    from->flat->clear();
    set.flat = std::move(from->flat);
}

TranslationSet* LinearMemory::leastRecentlyUsedFlat(size_t leastBytes)
{
    TranslationSet* oldest = nullptr;
    for (const auto& set : m_sets.all())
        if (set.get() != m_set && set->flat && set->flat->bytes() >= leastBytes
            && (!oldest || set->lastUse < oldest->lastUse))
            oldest = set.get();
    return oldest;
}

const uint64_t* LinearMemory::flatViews() const
{
    return m_set->flat->views(m_privilege == Privilege::User);
}

uint64_t LinearMemory::flatHole() const
{
    return m_flatMemory->hole();
}

bool LinearMemory::flatPagesStay() const
{
    return m_flatMemory->memory().means() == GuardedMemory::Means::GuardPages;
}

// What was not asked for is not to be there then.
void LinearMemory::noteFlatWrites()
{
    m_flatMemory->noteWrites();
    m_fillsFlat = false;
}

void LinearMemory::enterFlatEarly(uint32_t linear)
{
    if (!m_fillsFlat)
        return;
    if (const auto translation = m_walk.peek(m_control, linear, m_current->user))
        m_set->flat->enterPage(linear, m_current->user, *translation);
}

void LinearMemory::enterFlat(uint32_t linear, bool write)
{
    const Cached& cached = m_current->cached[indexOf(linear)];
    if (cached.linearPage != (linear & pageMask))
        return;
    const size_t before = m_set->flat->bytes();
    m_set->flat->enter(m_walk, m_control, linear, m_current->user, cached.translation, write);
    noteFlatGrowth(before);
}

void LinearMemory::noteFlatGrowth(size_t before)
{
    if (m_set->flat->bytes() == before)
        return;
    m_counters.flatTableBytes.add(m_set->flat->bytes() - before);
    keepFlatWithinBudget();
}

size_t LinearMemory::flatBytes() const
{
    size_t bytes = 0;
    for (const auto& set : m_sets.all())
        if (set->flat)
            bytes += set->flat->bytes();
    return bytes;
}

void LinearMemory::keepFlatWithinBudget()
{
    while (flatBytes() > m_flatBudget) {
        TranslationSet* oldest = leastRecentlyUsedFlat(1);
        if (!oldest)
            return;
        oldest->flat->discard();
    }
}

} // namespace namsan
