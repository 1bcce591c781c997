// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/translate/translated_frame.h"

#include <array>
#include <cstdint>
#include <optional>

namespace namsan {

class MemoryForm;

class Assembler;
class CodeRegion;
struct Processor;

// The pieces of emitted code that all units share. Addresses in the writable view, except enter's.
struct Thunks {
    // Runs translated code until it leaves; everything of the guest is in Processor and frame before and after.
    using Enter = void (*)(TranslatedFrame*, Processor*, const void* code, const void* pageTable);

    Enter enter = nullptr;
    const uint8_t* leave = nullptr; // jumped to: brings the registers back to Processor and returns from enter
    const uint8_t* lookUp = nullptr; // jumped to: goes on at the linear address in r8d, by way of the jump table
    const uint8_t* missing = nullptr; // jumped to: the unit of the linear address in r8d is not in that table
    const uint8_t* leaveDropped = nullptr; // jumped to: the unit of that linear address, which was there, is no more
    const uint8_t* attention = nullptr; // jumped to at the entry of the unit of the linear address in r8d

    // Called where a jump to another unit will be, which is patched over the call; the linear address that it goes to,
    // as its unit has it, is in the four bytes behind. By link_kind. They leave.
    std::array<const uint8_t*, 1u << link_kind::bits> link {};

    // Called. The slow ways of memory accesses: linear address in r8d, the site's number in r9d. They come back with
    // r10 + r8 as the place of the operand, or not at all. The second of each pair is for where the host's flags are
    // the guest's: it saves them first, so that they are what they are for whoever is asked instead, and comes back
    // with them.
    using SlowAccess = std::array<const uint8_t*, 2>;
    SlowAccess readSlowly {};
    SlowAccess readForWriteSlowly {};
    SlowAccess prepareWrite {}; // nothing is read
    const uint8_t* commitWrite = nullptr; // writes what the operand's place holds by now; keeps the flags

    // Called, changes nothing but that: the guest's x87, MMX and SSE registers go into the host's. Everything above
    // brings them back to Processor before it runs anything that was not emitted.
    const uint8_t* lendFloatingPoint = nullptr;

    // Called: looks up what is at the linear address in r8d, and leaves its place in the host in that of a kept base
    // (KeptBases); for reads and for writes. Changes r9, too. In flat form only.
    std::array<std::array<const uint8_t*, 2>, 2> keepAgain {};

    const uint8_t* runHandler = nullptr; // called with the HandlerSite in r9; leaves where units must not go on
};

Thunks emitThunks(Assembler&, const CodeRegion&, const Processor&, const MemoryForm&);

// The jump table's entry for the linear address in r8d and a jump to it, with that address still in r8d; or a jump to
// missing where there is none. Changes r9, r10 and flags. known: that address, where it is.
void emitJumpThroughTable(Assembler&, const uint8_t* missing, std::optional<uint32_t> known = std::nullopt);

// The parts of that before and behind the jump to missing, which is taken where nothing was equal.
void emitCompareWithTable(Assembler&);
void emitJumpByTable(Assembler&);

} // namespace namsan
