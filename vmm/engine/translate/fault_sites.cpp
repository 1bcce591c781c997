// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/fault_sites.h"

#include "vmm/engine/translate/code_region.h"

#include <algorithm>
#include <cstring>

namespace namsan {

const FaultSites::Site* FaultSites::find(uint32_t offset) const
{
    const Part* part = nullptr;
    for (const Part& candidate : m_parts)
        if (candidate.begin <= offset && (!part || candidate.begin > part->begin))
            part = &candidate;
    if (!part)
        return nullptr;
    const auto next = std::ranges::upper_bound(part->sites, offset, {}, &Counted::begin);
    if (next == part->sites.begin() || offset >= next[-1].unitEnd)
        return nullptr;
    return &next[-1];
}

void FaultSites::clear()
{
    m_parts.fill({});
    m_part = 0;
}

void FaultSites::beginPart(size_t part, uint32_t begin)
{
    m_part = part;
    for (const uint32_t number : m_parts[part].askingHere)
        if (number >> indexBits != part)
            stopAsking(*siteOf(number));
    m_parts[part] = { begin, {}, {} };
    for (Part& other : m_parts)
        std::erase_if(other.askingHere, [part](uint32_t number) { return number >> indexBits == part; });
}

FaultSites::Counted* FaultSites::siteOf(uint32_t number)
{
    const size_t part = number >> indexBits;
    const size_t index = number & indexMask;
    return part < m_parts.size() && index < m_parts[part].sites.size() ? &m_parts[part].sites[index] : nullptr;
}

// Without a jump it was the host's fault that led there.
void FaultSites::tookSlowWay(uint32_t number, bool could, bool crossed)
{
    Counted* known = siteOf(number);
    if (!known)
        return;
    Counted& site = *known;
    if (site.usesKept) {
        if (++site.count == keptPatience && m_emitter)
            m_emitter->keepNoMore(Site(site));
        return;
    }
    if (crossed) {
        if (!site.asks && ++site.crossings == crossingPatience)
            makeAsk(site, number);
        return;
    }
    if (site.jumps) {
        site.count = could ? static_cast<uint8_t>(site.count + 1) : uint8_t { 0 };
        if (site.count == trust)
            putLookup(site);
    } else if (++site.count == patience) {
        // A read may look for what can be written because writes come after it, though they come seldom.
        if (site.isKept && site.byWrites && !site.writes && m_emitter)
            m_emitter->keepNoMore(Site(site));
        putJump(site);
    }
}

void FaultSites::makeAsk(Counted& site, uint32_t number)
{
    site.asks = true; // where there is no room, it is not tried again
    if (site.jumps)
        putLookup(site);
    const auto lookup = m_emitter ? m_emitter->emitAskingLookup(site) : std::nullopt;
    if (!lookup)
        return;
    std::memcpy(site.original.data(), m_region.writable() + site.lookup, jumpBytes);
    m_parts[m_part].askingHere.push_back(number);
    putJumpTo(site, *lookup);
}

void FaultSites::stopAsking(Counted& site)
{
    site.asks = false;
    site.crossings = 0;
    if (site.jumps)
        site.former = site.original;
    else
        std::memcpy(m_region.writable() + site.lookup, site.original.data(), jumpBytes);
}

void FaultSites::putJumpTo(const Counted& site, uint32_t target)
{
    constexpr uint8_t nearJump = 0xe9;
    uint8_t* place = m_region.writable() + site.lookup;
    const uint32_t distance = target - (site.lookup + jumpBytes);
    place[0] = nearJump;
    std::memcpy(place + 1, &distance, sizeof distance);
}

void FaultSites::putJump(Counted& site)
{
    std::memcpy(site.former.data(), m_region.writable() + site.lookup, jumpBytes);
    putJumpTo(site, site.slow);
    site.count = 0;
    site.jumps = true;
}

void FaultSites::putLookup(Counted& site)
{
    std::memcpy(m_region.writable() + site.lookup, site.former.data(), jumpBytes);
    site.count = 0;
    site.jumps = false;
}

} // namespace namsan
