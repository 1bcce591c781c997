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

void FaultSites::tookSlowWay(uint32_t number, bool neededIt, bool could)
{
    if (number >= m_sites.size())
        return;
    Counted& site = m_sites[number];
    if (site.jumps) {
        site.count = could ? static_cast<uint8_t>(site.count + 1) : uint8_t { 0 };
        if (site.count == trust)
            putLookup(site);
    } else if (neededIt && ++site.count == patience) {
        putJump(site);
    }
}

void FaultSites::putJump(Counted& site)
{
    uint8_t* place = m_region.writable() + site.lookup;
    const uint32_t distance = site.slow - (site.lookup + jumpBytes);
    std::memcpy(site.former.data(), place, jumpBytes);
    place[0] = 0xe9;
    std::memcpy(place + 1, &distance, sizeof distance);
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
