// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/engine/decode/instruction.h"
#include "vmm/engine/translate/liveness.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace namsan {

class CodeCache;
class Decoder;

// Code of the guest that is translated as one piece: from one entry on, past conditional jumps that are not taken,
// within one page. An instruction that runs over the page's end is a unit alone.
struct GuestUnit {
    struct Step {
        Instruction instruction;
        uint32_t eip = 0;
        bool native = false; // otherwise its handler is called
        bool endsUnit = false;
        FlagEffect effect;
        uint32_t liveIn = 0; // arithmetic flags that matter before it
        uint32_t liveAtTarget = 0; // of a relative jump: those that matter where it goes
    };
    // Bytes that the translation depends on, by their offsets in the page: those of the instructions, and those that
    // were looked at to know which flags matter behind the exits.
    struct Range {
        uint16_t first;
        uint16_t last;
    };

    PhysicalAddress physical = 0;
    uint32_t linear = 0; // as all addresses here relative to the linear page, where the unit serves at any
    uint32_t mode = 0; // unit_mode
    uint32_t nextEip = 0; // behind the last instruction
    uint32_t liveOut = 0; // there
    std::vector<Step> steps;
    std::vector<Range> ranges;
    std::optional<PhysicalAddress> secondPage; // that its only instruction ends in
    Range rangeInSecondPage {};
};

// Where a relative jump or call goes.
uint32_t targetOf(const GuestUnit::Step&);

// Collects the unit at a linear address whose physical address is known. Marks its pages as ones with code.
class UnitCollector {
public:
    static constexpr unsigned mostInstructions = 64;

    UnitCollector(GuestMemory&, CodeCache&, const Decoder&);

    struct Rules {
        unsigned most = mostInstructions; // at least 1
        bool handlersStandAlone = false; // what is left to the interpreter is alone in its unit
        bool exactFlags = false; // everything matters at exits and to whatever may fault
    };
    // What they give is there until the next call. Nothing where its first instruction runs over the page's end. What
    // others write there meanwhile is told to the code cache, in time or afterwards: the page is settled.
    const GuestUnit* collect(uint32_t linear, PhysicalAddress, uint32_t mode, const Rules&);

    // Whether the instruction there runs over the page's end.
    bool straddles(PhysicalAddress) const;
    // The unit of such an instruction. secondPage: where it goes on, which must be memory.
    const GuestUnit* collectStraddling(
        uint32_t linear, PhysicalAddress, PhysicalAddress secondPage, uint32_t mode, const Rules&);

private:
    class LookAhead;

    // What an instruction has to do with the flags, and where it goes on from it.
    struct Seen {
        uint32_t unit = 0; // it was seen for, by number
        uint32_t eip = 0;
        uint32_t next = 0;
        uint32_t target = 0; // where it jumps
        FlagEffect effect;
        bool jumps = false; // perhaps
        bool alwaysJumps = false;
        bool ends = false; // nothing is known of what comes after it
    };
    static constexpr size_t seenCount = 64;
    Seen& note(const GuestUnit::Step&);

    bool collectOnce(uint32_t linear, PhysicalAddress, uint32_t mode, const Rules&);
    void beginUnit(uint32_t linear, PhysicalAddress, uint32_t mode);
    static void look(GuestUnit::Step&, uint32_t mode);
    bool decodeAt(uint32_t pageOffset, Instruction&) const;
    uint32_t liveAt(uint32_t eip);
    void markLiveFlags(const Rules&);

    GuestMemory& m_memory;
    CodeCache& m_codeCache;
    const Decoder& m_decoder;
    const uint8_t* m_page = nullptr;
    std::array<Seen, seenCount> m_seen; // by the address's low bits
    uint32_t m_number = 0; // of the unit
    GuestUnit m_unit; // always the same one, for the sake of the memory that it has
};

} // namespace namsan
