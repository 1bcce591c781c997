// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace namsan {

class CodeRegion;

// Places in translated code where an access to the guest's memory may fault on the host, and where it is gone on with
// then. Offsets into the code region, in the order in which the code was emitted. Looked at by signal handlers, which
// only ever interrupt translated code: nothing changes here meanwhile.
//
// A signal is dear. A site that takes the slow way again and again, because it writes to a device or beside code, gets
// a jump there in place of its lookup; and its lookup back when it could do without for a while.
class FaultSites {
public:
    struct Site {
        uint32_t lookup = 0; // where its lookup begins; at least jumpBytes long
        uint32_t begin = 0; // behind the lookup; it reaches to the next site
        uint32_t slow = 0; // the beginning of its slow way
        uint32_t unitEnd = 0; // what is emitted from here on belongs to others
    };

    explicit FaultSites(const CodeRegion& region)
        : m_region(region)
    {
    }

    void add(const Site& site) { m_sites.push_back({ site, {}, 0, false }); }
    void clear() { m_sites.clear(); }
    size_t size() const { return m_sites.size(); }

    // The site that an instruction there belongs to.
    const Site* find(uint32_t offset) const;

    // The site of that number has taken the slow way. neededIt: it would again; could: it need not have.
    void tookSlowWay(uint32_t number, bool neededIt, bool could);

private:
    static constexpr uint8_t jumpBytes = 5;
    static constexpr uint8_t patience = 8; // slow accesses, before there is a jump
    static constexpr uint8_t trust = 64; // accesses that could have been fast, before there is none

    struct Counted : Site {
        std::array<uint8_t, jumpBytes> former; // what the jump has replaced
        uint8_t count;
        bool jumps;
    };
    void putJump(Counted&);
    void putLookup(Counted&);

    const CodeRegion& m_region;
    std::vector<Counted> m_sites;
};

} // namespace namsan
