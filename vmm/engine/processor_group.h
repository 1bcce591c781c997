// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace namsan {

class Attention;
class CodeCache;

// What the processors of one machine need of each other in software. Each has its own decoded instructions and its own
// TLB; memory is common, and so is what they must agree on:
//
// - Exclusive sections, for the few locked accesses that no host instruction can do at once (they cross a cache line
//   or a page): all others stand between two instructions, or are at the bus, meanwhile.
// - Pages with code. Who decodes from a page claims it first; then all others must give up writing to that page
//   without asking. Nobody waits for that: until each of them has come by, the page is not settled, and its
//   instructions are decoded anew each time they run. Then stores into the page's code are told to those who claimed
//   it.
//
// Any thread; index is the calling processor's.
class ProcessorGroup {
public:
    static constexpr unsigned most = 16;

    explicit ProcessorGroup(GuestMemory&, unsigned count);

    void connect(unsigned index, Attention&, CodeCache&); // before any runs
    // One that keeps no decoded code, and does not look at its attention by itself: nudge makes it. Any thread; must
    // not wait.
    void connect(unsigned index, Attention&, std::function<void()> nudge);

    // Around the time in which a processor may carry out instructions, and around its accesses to the bus inside.
    void beginRun(unsigned index);
    void endRun(unsigned index);
    void beginBusAccess(unsigned index) { leave(index); }
    void endBusAccess(unsigned index) { enter(index); }

    void runExclusively(unsigned index, const std::function<void()>& section);
    void attendExclusive(unsigned index); // on Attention::Exclusive, between two instructions

    // Claims the page and gives its ticket. From now on, stores into it are slow, and seen once the ticket is settled.
    uint64_t claimCode(unsigned index, PhysicalAddress page);
    bool isSettled(uint64_t ticket) const;
    void attendCodePages(unsigned index); // on Attention::CodePages, between two instructions
    // These 64-byte pieces (one bit for each) will be decoded: to be said before a byte is read.
    void addCodeLines(PhysicalAddress page, uint64_t lines);
    void releaseCode(unsigned index, PhysicalAddress page);
    // Bytes of one page were written, by the processor with that index or by none: tells the others that need to know.
    void codeWritten(unsigned index, PhysicalAddress, uint64_t size);

    static constexpr unsigned noProcessor = ~0u;

private:
    struct Member {
        Attention* attention = nullptr;
        CodeCache* codeCache = nullptr;
        std::function<void()> nudge;
        std::atomic<bool> running = false; // between beginRun() and endRun()
        std::atomic<bool> active = false; // running, and neither at the bus nor waiting for an exclusive section
        std::atomic<uint64_t> seenTicket = 0;
        std::vector<PhysicalAddress> codePages; // claimed and not yet seen; under m_codeMutex
        bool tooManyPages = false;
    };
    struct CodePage {
        uint32_t owners = 0; // one bit for each processor
        uint64_t lines = 0;
        uint64_t ticket = 0;
    };

    void enter(unsigned index);
    void leave(unsigned index);
    bool othersAreActive(unsigned index) const;

    static constexpr size_t mostPagesWaiting = 64;

    GuestMemory& m_memory;
    const unsigned m_count;
    std::array<Member, most> m_members;

    std::mutex m_turn; // of the one exclusive section
    std::mutex m_exclusiveMutex;
    std::condition_variable m_exclusiveChanged;
    std::atomic<bool> m_exclusive = false;

    std::mutex m_codeMutex;
    std::unordered_map<uint64_t, CodePage> m_codePages; // by page number
    uint64_t m_lastTicket = 0;
};

} // namespace namsan
