// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/translate/code_parts.h"

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
        uint32_t eip = 0; // of the guest's instruction, as its unit has it
        uint8_t executedBefore = 0; // instructions of its unit
        uint8_t size = 0; // of the access, in bytes
        bool writes = false;
        bool anyPage = false; // its unit serves at any linear page
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

    void add(const Site& site) { m_parts[m_part].sites.push_back({ site, {}, {}, 0, 0, false, !site.canAsk }); }
    void clear();
    const Site& at(uint32_t number) const { return m_parts[number >> indexBits].sites[number & indexMask]; }
    // The number that a site gets when so many others are added before it.
    uint32_t numberOfNext(size_t others) const
    {
        return static_cast<uint32_t>(m_part << indexBits | (m_parts[m_part].sites.size() + others));
    }

    // Forgets the sites in that part of the code region, which begins there; those that are added from now on lie in
    // it. What was emitted there for sites elsewhere is not jumped to any more.
    void beginPart(size_t part, uint32_t begin);

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
        std::array<uint8_t, jumpBytes> former; // what the jump to the slow way has replaced
        std::array<uint8_t, jumpBytes> original; // what the jump to a lookup that asks has replaced
        uint8_t count;
        uint8_t crossings;
        bool jumps;
        bool asks;
    };
    struct Part {
        uint32_t begin = ~uint32_t { 0 };
        std::vector<Counted> sites;
        std::vector<uint32_t> askingHere; // numbers of sites whose lookups that ask lie in this part
    };
    static constexpr unsigned indexBits = 24; // of a number; the part is above
    static constexpr uint32_t indexMask = (1u << indexBits) - 1;

    Counted* siteOf(uint32_t number);
    void makeAsk(Counted&, uint32_t number);
    void stopAsking(Counted&);
    void putJumpTo(const Counted&, uint32_t target);
    void putJump(Counted&);
    void putLookup(Counted&);

    const CodeRegion& m_region;
    LookupEmitter* m_emitter = nullptr;
    std::array<Part, CodeParts::most> m_parts;
    size_t m_part = 0; // the current one
};

} // namespace namsan
