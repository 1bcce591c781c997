// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/fault_sites.h"

#include "vmm/engine/translate/code_region.h"

#include <algorithm>
#include <cstring>

namespace namsan {

const FaultSites::Site* FaultSites::find(uint32_t offset) const
{
    const auto next = std::ranges::upper_bound(m_sites, offset, {}, &Counted::begin);
    if (next == m_sites.begin() || offset >= next[-1].unitEnd)
        return nullptr;
    return &next[-1];
}

// Without a jump it was the host's fault that led there.
void FaultSites::tookSlowWay(uint32_t number, bool could, bool crossed)
{
    if (number >= m_sites.size())
        return;
    Counted& site = m_sites[number];
    if (site.usesKept) {
        if (++site.count == keptPatience && m_emitter)
            m_emitter->keepNoMore(Site(site));
        return;
    }
    if (crossed) {
        if (!site.asks && ++site.crossings == crossingPatience)
            makeAsk(site);
        return;
    }
    if (site.jumps) {
        site.count = could ? static_cast<uint8_t>(site.count + 1) : uint8_t { 0 };
        if (site.count == trust)
            putLookup(site);
    } else if (++site.count == patience) {
        putJump(site);
    }
}

void FaultSites::makeAsk(Counted& site)
{
    site.asks = true; // where there is no room, it is not tried again
    if (site.jumps)
        putLookup(site);
    if (const auto lookup = m_emitter ? m_emitter->emitAskingLookup(site) : std::nullopt)
        putJumpTo(site, *lookup);
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
