// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <type_traits>

namespace namsan {

class TranslatorRuntime;

// Why translated code came back to the dispatcher. Processor::nextEip tells where the guest goes on.
enum class LeaveReason : uint32_t {
    Lookup, // the next unit was not found where translated code looks
    Link, // the same, and a jump waits to be pointed at that unit
    Attention, // somebody wants something of this vCPU
    Interpret, // the instruction there must be interpreted, such as one that writes into translated code
    Handler, // an instruction was carried out after which everything may be different; all flags are what they are
    Fault, // the instruction at Processor::eip faulted
    Dropped, // the jump table has led to a unit that is no more
};

// Of a jump to another unit in the same page, as bits.
namespace link_kind {
constexpr uint32_t forward = 1 << 0; // there is no loop without a check elsewhere
constexpr uint32_t fromAnyPage = 1 << 1; // out of a unit that serves at any linear page
constexpr unsigned bits = 2;
} // namespace link_kind

// An entry of the table through which jumps to other pages and indirect ones go: the unit of a linear address.
struct JumpEntry {
    static constexpr uint64_t noKey = ~uint64_t { 0 };

    uint64_t key = noKey; // context in the upper half, linear address in the lower
    const uint8_t* code = nullptr;
};

// What translated code works with beside the processor. Its address is in a register, the members at fixed offsets.
struct TranslatedFrame {
    static constexpr unsigned jumpBits = 16;
    static constexpr uint32_t jumpFactor = 0x9e3779b1; // 2^32 divided by the golden ratio
    // Functions begin at multiples of 16, so the low bits alone would be a poor number.
    static constexpr uint32_t jumpNumber(uint32_t linear) { return linear * jumpFactor >> (32 - jumpBits); }
    JumpEntry& jumpOf(uint32_t linear) { return jumps[jumpNumber(linear)]; }

    uint64_t instructions = 0; // carried out since the dispatcher last took the number away
    uint64_t context = 0; // the upper half of the keys that hold now
    const std::atomic<uint32_t>* attention = nullptr;
    TranslatorRuntime* runtime = nullptr;
    alignas(16) std::array<uint64_t, 2> scratch {}; // stands for guest memory where an access takes the slow way
    uint64_t savedAddress = 0; // of the slow way
    uint64_t savedValue = 0;
    uint64_t savedHost = 0; // r10, meanwhile
    uint32_t executedBefore = 0; // how many instructions of the unit came before the one that takes the slow way
    LeaveReason reason = LeaveReason::Lookup;
    uint64_t hole = 0; // in flat form: what an empty entry holds
    uint32_t site = 0; // of the access that took the slow way last: its number in FaultSites
    uint32_t link = 0; // for Link: the offset behind the jump, with its link_kind below
    uint32_t hostMxcsr = 0x1f80; // what C++ runs with
    uint32_t linearPage = 0; // of the unit that runs, where that serves at any
    bool floatingPointInHost = false; // the guest's x87, MMX and SSE registers are in the host's, not in Processor
    std::array<JumpEntry, size_t { 1 } << jumpBits> jumps;
};
static_assert(std::is_standard_layout_v<TranslatedFrame>);
static_assert(sizeof(JumpEntry) == 16);

} // namespace namsan
