// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_state.h"

#include <cstdint>

namespace namsan {

// Bits of SegmentState::accessRights.
namespace access_rights {
constexpr uint32_t typeMask = 0xf;
constexpr uint32_t accessed = 1 << 0; // code and data
constexpr uint32_t writable = 1 << 1; // data
constexpr uint32_t readable = 1 << 1; // code
constexpr uint32_t expandDown = 1 << 2; // data
constexpr uint32_t conforming = 1 << 2; // code
constexpr uint32_t code = 1 << 3;
constexpr uint32_t codeOrData = 1 << 4; // S
constexpr uint32_t present = 1 << 7;
constexpr uint32_t big = 1 << 14; // D/B
constexpr uint32_t granularity = 1 << 15;
constexpr uint32_t unusable = 1 << 16;
} // namespace access_rights

// Types of system segments and gates. Intel SDM volume 3, table 3-2.
namespace system_type {
constexpr uint32_t availableTss16 = 1;
constexpr uint32_t ldt = 2;
constexpr uint32_t busyTss16 = 3;
constexpr uint32_t callGate16 = 4;
constexpr uint32_t taskGate = 5;
constexpr uint32_t interruptGate16 = 6;
constexpr uint32_t trapGate16 = 7;
constexpr uint32_t availableTss32 = 9;
constexpr uint32_t busyTss32 = 11;
constexpr uint32_t callGate32 = 12;
constexpr uint32_t interruptGate32 = 14;
constexpr uint32_t trapGate32 = 15;
constexpr uint32_t busyBit = 2; // in both TSS types
constexpr uint32_t bit32 = 8; // in all types that come in two sizes
} // namespace system_type

constexpr unsigned rplOf(uint32_t selector)
{
    return selector & 3;
}

// A null selector: index 0 in the GDT, whatever its RPL is.
constexpr bool isNull(uint32_t selector)
{
    return (selector & 0xfffc) == 0;
}

// The part of a selector that error codes hold.
constexpr uint32_t selectorError(uint32_t selector)
{
    return selector & 0xfffc;
}

// Eight bytes of a descriptor table. Intel SDM volume 3, figures 3-8 (segments), 5-8 and 6-2 (gates).
struct Descriptor {
    uint32_t low = 0;
    uint32_t high = 0;
    uint32_t address = 0; // linear, of the descriptor itself

    uint32_t type() const { return high >> 8 & 0xf; }
    unsigned dpl() const { return high >> 13 & 3; }
    bool present() const { return high >> 15 & 1; }

    bool isSystem() const { return !(high >> 12 & 1); }
    bool isCode() const { return !isSystem() && (type() & access_rights::code); }
    bool isData() const { return !isSystem() && !(type() & access_rights::code); }
    bool isConformingCode() const { return isCode() && (type() & access_rights::conforming); }
    bool isReadable() const { return isData() || (isCode() && (type() & access_rights::readable)); }
    bool isWritable() const { return isData() && (type() & access_rights::writable); }

    uint32_t base() const { return low >> 16 | (high & 0xff) << 16 | (high & 0xff000000); }
    uint32_t limit() const
    {
        const uint32_t limit = (low & 0xffff) | (high & 0x000f0000);
        return high >> 23 & 1 ? limit << 12 | 0xfff : limit;
    }

    uint16_t gateSelector() const { return static_cast<uint16_t>(low >> 16); }
    uint32_t gateOffset() const { return (low & 0xffff) | (type() & system_type::bit32 ? high & 0xffff0000 : 0); }
    unsigned gateParameters() const { return high & 0x1f; }

    SegmentState segment(uint32_t selector) const
    {
        return { static_cast<uint16_t>(selector), high >> 8 & 0xf0ff, base(), limit() };
    }
};

constexpr unsigned dplOf(const SegmentState& segment)
{
    return segment.accessRights >> 5 & 3;
}

constexpr bool isUsable(const SegmentState& segment)
{
    return !(segment.accessRights & access_rights::unusable);
}

// Whether size bytes from offset on lie inside the segment. Intel SDM volume 3, 5.3.
constexpr bool withinLimit(const SegmentState& segment, uint32_t offset, unsigned size)
{
    const uint32_t last = offset + (size - 1);
    if (last < offset)
        return false;
    const uint32_t kind = segment.accessRights & (access_rights::code | access_rights::expandDown);
    if (kind != access_rights::expandDown)
        return last <= segment.limit;
    return offset > segment.limit && last <= (segment.accessRights & access_rights::big ? 0xffffffff : 0xffff);
}

} // namespace namsan
