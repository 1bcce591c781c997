// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/engine/decode/instruction.h"
#include "vmm/engine/interpret/attention.h"
#include "vmm/session/vcpu_counters.h"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace namsan {

class Decoder;
class LinearMemory;
class ProcessorGroup;
class GuestBus;

// A straight run of decoded instructions. All its bytes lie in one page, except that one instruction alone may straddle
// two.
struct Block {
    const Instruction* instructions = nullptr;
    uint16_t count = 0;
    bool code32 = false;
    bool severalSlots = false; // found at more than one linear address
    bool dropped = false;
    uint32_t lastByte = 0; // offset of its last byte from its first
    uint32_t slot = 0; // where it was last found
    PhysicalAddress physical = 0; // of its first byte
    std::optional<PhysicalAddress> secondPage; // of the bytes beyond the page end
    Block* nextInBucket = nullptr;
};

// Whoever keeps other things made of the same instructions. Called on the vCPU's thread.
class CodeFollower {
public:
    virtual ~CodeFollower() = default;
    virtual void codeWritten(PhysicalAddress, uint64_t size) = 0; // within one page
    virtual bool holdsCodeOf(PhysicalAddress page) const = 0; // then the page keeps its Code flag
    virtual void dropAllCode() = 0;
};

// Decoded blocks of instructions by physical address. Of one vCPU, whose thread alone calls, except where noted.
//
// A block is found by its linear address through a table whose entries carry the fetch generation, so that nothing
// needs clearing when mappings change; then through its physical address. Pages with blocks have GuestMemory::Code set,
// so stores into them are reported here.
class CodeCache {
public:
    CodeCache(GuestMemory&, LinearMemory&, GuestBus&, const Decoder&, VcpuCounters&, Attention&);
    ~CodeCache();
    CodeCache(const CodeCache&) = delete;
    CodeCache& operator=(const CodeCache&) = delete;

    // The block at a linear address; decodes it where it is new. Throws the fetch's page fault. The block may be used
    // until the next call; one that was dropped meanwhile stays readable until then.
    const Block& find(uint32_t linear, bool code32, uint64_t fetchGeneration)
    {
        const Slot& slot = m_slots[linear % slotCount];
        if (slot.key == keyOf(linear, code32, fetchGeneration)) [[likely]]
            return *slot.block;
        return findSlow(linear, code32, fetchGeneration);
    }

    // Which block runs, and what to set when it is hit.
    void setRunning(const Block& block) { m_running = &block; }
    void setLeaveFlag(bool& leaveBlock) { m_leaveBlock = &leaveBlock; }

    // Memory with the Code flag was written by this vCPU: blocks decoded from those bytes are gone, and if the block
    // that runs is among them, it ends after the instruction that runs.
    void codeWrittenHere(PhysicalAddress, unsigned size);

    // The same by somebody else, on any thread: noted, and done by dropWrittenElsewhere() when the vCPU comes by.
    void codeWrittenElsewhere(PhysicalAddress, uint64_t size);
    void dropWrittenElsewhere();

    void dropAll(); // with what the follower has

    // Told of what is dropped here; nullptr for nobody. Outlives this, or takes itself away.
    void setFollower(CodeFollower* follower) { m_follower = follower; }

    // In a machine with several processors: who has to know which pages hold code, and this one's number there. Before
    // anything is decoded.
    void setGroup(ProcessorGroup* group, unsigned index);
    // From now on the processor asks before it writes to the page, or to any.
    void stopFastWrites(PhysicalAddress page);
    void stopFastWrites();

    // The bits of a page's 64-byte lines that size bytes (at least 1) from an offset lie in, all in that page.
    static uint64_t linesOf(uint64_t offset, uint64_t size);

    // Marks the page as one with code, so that stores into it are reported. Before any byte of it is decoded.
    void watchPage(PhysicalAddress);
    // The same. False while another processor may still write to the page without telling: what is decoded now may not
    // be kept.
    bool settle(PhysicalAddress);
    // More of these lines of a page that is watched have been read than its first byte told. False: the others did not
    // know, and what was read has to be read again.
    bool watchLines(PhysicalAddress, uint64_t lines);

private:
    static constexpr uint32_t slotBits = 13;
    static constexpr uint32_t slotCount = 1 << slotBits;
    static constexpr size_t bucketCount = 1 << 15;
    static constexpr size_t chunkSize = 4096; // instructions
    static constexpr size_t mostChunks = 96; // 18 MiB of instructions; then everything is dropped
    static constexpr unsigned longestBlock = 32;
    static constexpr size_t mostNotes = 1024;

    struct Slot {
        uint64_t key = ~uint64_t { 0 };
        Block* block = nullptr;
    };
    struct Page {
        uint64_t lines = 0; // bit n: the n-th 64 bytes hold code
        std::vector<Block*> blocks;
        uint64_t ticket = 0; // of the group's; 0: settled
        uint64_t told = 0; // lines that the group knows of
    };
    struct Note {
        PhysicalAddress address;
        uint64_t size;
    };

    // The slot's number holds the address's low bits, so the key has room for a generation that never comes round.
    static uint64_t keyOf(uint32_t linear, bool code32, uint64_t fetchGeneration)
    {
        return fetchGeneration << 20 | (code32 ? uint64_t { 1 } << 19 : 0) | linear >> slotBits;
    }

    const Block& findSlow(uint32_t linear, bool code32, uint64_t fetchGeneration);
    Block* findByPhysical(PhysicalAddress, bool code32, uint32_t linear);
    Block* decodeBlock(PhysicalAddress, bool code32);
    Block* decodeStraddling(uint32_t linear, PhysicalAddress, bool code32);
    const Block& decodeUncached(uint32_t linear, bool code32);
    Block* keep(Block, const Instruction*);
    void listInPage(Block&, PhysicalAddress, uint64_t size);
    void enterIntoSlot(Block&, uint32_t linear, bool code32, uint64_t fetchGeneration);
    uint8_t fetchByte(PhysicalAddress);

    void dropRange(PhysicalAddress, uint64_t size); // within one page
    void drop(Block&);
    void dropBlocks();
    void forgetPageWithoutCode(PhysicalAddress);
    static bool covers(const Block&, PhysicalAddress, uint64_t size);
    static size_t bucketOf(PhysicalAddress address) { return (address ^ address >> 15) % bucketCount; }

    GuestMemory& m_memory;
    LinearMemory& m_linearMemory;
    GuestBus& m_bus;
    const Decoder& m_decoder;
    VcpuCounters& m_counters;
    Attention& m_attention;
    CodeFollower* m_follower = nullptr;
    ProcessorGroup* m_group = nullptr; // empty: there is one processor
    unsigned m_groupIndex = 0;

    std::vector<Slot> m_slots;
    std::vector<Block*> m_buckets;
    std::unordered_map<uint64_t, Page> m_pages; // by page number
    std::deque<Block> m_blocks;
    std::vector<std::unique_ptr<Instruction[]>> m_chunks;
    size_t m_usedChunks = 0; // the last of them is being filled
    size_t m_usedInChunk = chunkSize;

    std::array<Instruction, longestBlock> m_scratch;
    Block m_uncached; // of memory that no store to is noticed
    const Block* m_running = nullptr;
    bool* m_leaveBlock = nullptr;

    std::mutex m_notesMutex; // held for a push or a swap only
    std::vector<Note> m_notes;
    bool m_tooManyNotes = false;
};

} // namespace namsan
