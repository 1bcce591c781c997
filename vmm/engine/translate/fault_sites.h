// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace namsan {

class CodeRegion;

// The accesses to the guest's memory in translated code, by number, in the order in which their lookups were emitted:
// what has to be known when one takes the slow way. Offsets are into the code region.
//
// Where the form of memory does not ask, an access may fault on the host, and is gone on with at its slow way then.
// Signal handlers look here for it; they only ever interrupt translated code: nothing changes here meanwhile. A signal
// is dear. A site that takes the slow way again and again, because it writes to a device, beside code or always to new
// pages, gets a jump there in place of its lookup; and its lookup back when it could do without for a while. One that
// crosses page ends again and again gets a lookup that asks whether it does.
class FaultSites {
public:
    struct Site {
        uint32_t lookup = 0; // where its lookup begins; at least jumpBytes long
        uint32_t begin = 0; // behind the lookup; it reaches to the next site
        uint32_t slow = 0; // the beginning of its slow way
        uint32_t unitEnd = 0; // what is emitted from here on belongs to others; 0 where the form asks: it never faults
        uint32_t eip = 0; // of the guest's instruction
        uint8_t executedBefore = 0; // instructions of its unit
        uint8_t size = 0; // of the access, in bytes
        bool writes = false;
        // What the lookup finds goes into the host register of that number; it becomes the operand's own place there
        // where it is kept.
        uint8_t host = 10;
        bool isKept = false;
        bool usesKept = false; // there is no lookup: the place was kept from an access before
        bool canAsk = true; // r8d has the address before the lookup
        bool byWrites = false; // it looks in the view for writes, be it as it may
    };

    // Emits a lookup for a site that asks whether the access crosses a page's end. Nothing: there is no room.
    class LookupEmitter {
    public:
        virtual ~LookupEmitter() = default;
        virtual std::optional<uint32_t> emitAskingLookup(const Site&) = 0;
        // The access that takes the slow way is to be emitted with a lookup of its own from now on.
        virtual void keepNoMore(const Site&) = 0;
    };
    void setLookupEmitter(LookupEmitter& emitter) { m_emitter = &emitter; }

    explicit FaultSites(const CodeRegion& region)
        : m_region(region)
    {
    }

    void add(const Site& site) { m_sites.push_back({ site, {}, 0, 0, false, !site.canAsk }); }
    void clear() { m_sites.clear(); }
    size_t size() const { return m_sites.size(); }
    const Site& at(uint32_t number) const { return m_sites[number]; }

    // The site that an instruction there belongs to.
    const Site* find(uint32_t offset) const;

    // The site of that number has taken the slow way. could: it need not have; crossed: the end of a page.
    void tookSlowWay(uint32_t number, bool could, bool crossed);

private:
    static constexpr uint8_t jumpBytes = 5;
    static constexpr uint8_t patience = 8; // slow accesses, before there is a jump
    static constexpr uint8_t keptPatience = 3; // the same, before what was kept is no more used
    static constexpr uint8_t trust = 32; // accesses that could have been fast, before there is none
    static constexpr uint8_t crossingPatience = 3; // crossings, before it asks

    struct Counted : Site {
        std::array<uint8_t, jumpBytes> former; // what the jump has replaced
        uint8_t count;
        uint8_t crossings;
        bool jumps;
        bool asks;
    };
    void makeAsk(Counted&);
    void putJumpTo(const Counted&, uint32_t target);
    void putJump(Counted&);
    void putLookup(Counted&);

    const CodeRegion& m_region;
    LookupEmitter* m_emitter = nullptr;
    std::vector<Counted> m_sites;
};

} // namespace namsan
