// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>

namespace namsan {

// A count that one thread advances and any thread reads. Never behind by more than the block of instructions that runs.
class Counter {
public:
    void add(uint64_t n = 1) { m_value.store(m_value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
    uint64_t value() const { return m_value.load(std::memory_order_relaxed); }

private:
    std::atomic<uint64_t> m_value = 0;
};

// What one vCPU has done since it was made; a reset of the machine does not set it back.
struct VcpuCounters {
    Counter instructions; // a REP string instruction is one
    Counter portReads;
    Counter portWrites;
    Counter mmioReads;
    Counter mmioWrites;
    Counter interrupts; // external ones that were taken
    Counter exceptions; // of all kinds, page faults among them
    Counter pageFaults;
    Counter halts;
    Counter kicks; // returns from run() because of kick()
    Counter blocksDecoded; // straight runs of instructions that had to be decoded
    Counter codeInvalidations; // stores into memory that held decoded code
    Counter tlbMisses;
    Counter yields; // gave its host CPU away because the guest was spinning (PAUSE)
    Counter flatTableBytes; // of host memory taken for flat tables, those given back not taken off
    Counter accessFaults; // accesses of translated code that faulted on the host and went on the slow way

    // Of the translator.
    Counter unitsTranslated;
    Counter instructionsTranslated; // in them
    Counter translatingNanoseconds; // that it took to translate them, by the host's clock
    Counter codeBytesEmitted;
    Counter unitsDropped; // by stores into them
    Counter basesKeptNoMore; // instructions whose base register's place was kept, until that cost too much
    Counter codePartsEmptied; // of the code region, because all were full
    Counter codePagesShared; // whose code was come to at a second linear page
    Counter leavesForLookup; // translated code came back because it did not find the next unit,
    Counter leavesForLink; // for a jump to be pointed at its target,
    Counter leavesForAttention;
    Counter leavesForInterpreter; // for a store into translated code,
    Counter leavesAfterHandler; // for an instruction that changes the rules,
    Counter leavesForFault;
    Counter instructionsCompared; // with the interpreter, in lockstep
};

} // namespace namsan
