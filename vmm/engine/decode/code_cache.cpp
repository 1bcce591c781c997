// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/decode/code_cache.h"

#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/paging/linear_memory.h"
#include "vmm/engine/processor_group.h"
#include "vmm/session/vm_session.h"

#include <algorithm>
#include <span>

namespace namsan {

namespace {

constexpr uint64_t pageSize = GuestMemory::pageSize;
constexpr uint64_t lineSize = 64;

// The lines of a page that a block's bytes lie in.
uint64_t linesOfBlock(const Block& block, PhysicalAddress pageStart)
{
    const uint64_t offset = block.physical % pageSize;
    const uint64_t length = block.lastByte + uint64_t { 1 };
    const uint64_t inFirst = std::min(length, pageSize - offset);
    uint64_t lines = 0;
    if (block.physical - offset == pageStart)
        lines |= CodeCache::linesOf(offset, inFirst);
    if (block.secondPage == pageStart && length > inFirst)
        lines |= CodeCache::linesOf(0, length - inFirst);
    return lines;
}

} // namespace

CodeCache::CodeCache(GuestMemory& memory, LinearMemory& linearMemory, GuestBus& bus, const Decoder& decoder,
    VcpuCounters& counters, Attention& attention)
    : m_memory(memory)
    , m_linearMemory(linearMemory)
    , m_bus(bus)
    , m_decoder(decoder)
    , m_counters(counters)
    , m_attention(attention)
    , m_slots(slotCount)
    , m_buckets(bucketCount, nullptr)
{
    m_linearMemory.setCodeCache(this);
}

uint64_t CodeCache::linesOf(uint64_t offset, uint64_t size)
{
    const uint64_t first = offset / lineSize;
    const uint64_t last = (offset + size - 1) / lineSize;
    return (~uint64_t { 0 } << first) & (~uint64_t { 0 } >> (63 - last));
}

CodeCache::~CodeCache()
{
    dropAll();
    m_linearMemory.setCodeCache(nullptr);
}

const Block& CodeCache::findSlow(uint32_t linear, bool code32, uint64_t fetchGeneration)
{
    // In a group a page must be settled before its bytes are read; so there must be room before.
    if (m_group && m_usedChunks == mostChunks && m_usedInChunk + longestBlock > chunkSize)
        dropBlocks();
    const PhysicalAddress physical = m_linearMemory.translateFetch(linear);
    if (!m_memory.pageHost(physical) || (m_group && !settle(physical)))
        return decodeUncached(linear, code32);
    Block* block = findByPhysical(physical, code32, linear);
    if (!block) {
        block = decodeBlock(physical, code32);
        if (!block)
            block = decodeStraddling(linear, physical, code32);
        if (!block)
            return decodeUncached(linear, code32);
    }
    enterIntoSlot(*block, linear, code32, fetchGeneration);
    return *block;
}

void CodeCache::enterIntoSlot(Block& block, uint32_t linear, bool code32, uint64_t fetchGeneration)
{
    const uint32_t index = linear % slotCount;
    if (m_slots[block.slot].block == &block && block.slot != index)
        block.severalSlots = true;
    block.slot = index;
    m_slots[index] = { keyOf(linear, code32, fetchGeneration), &block };
}

Block* CodeCache::findByPhysical(PhysicalAddress physical, bool code32, uint32_t linear)
{
    for (Block* block = m_buckets[bucketOf(physical)]; block; block = block->nextInBucket) {
        if (block->physical != physical || block->code32 != code32)
            continue;
        if (!block->secondPage)
            return block;
        // The next linear page may be another physical one than last time. (And the walk's accessed bit may be code.)
        const PhysicalAddress secondPage = m_linearMemory.translateFetch((linear | (pageSize - 1)) + 1);
        if (*block->secondPage == secondPage && !block->dropped)
            return block;
    }
    return nullptr;
}

// Nothing where the first instruction runs over the page's end.
Block* CodeCache::decodeBlock(PhysicalAddress physical, bool code32)
{
    watchPage(physical); // before a byte is read, so that no store is missed
    const uint8_t* host = m_memory.host(physical);
    const uint64_t available = pageSize - physical % pageSize;
    uint64_t used = 0;
    unsigned count = 0;
    while (count < longestBlock && used < available) {
        Instruction& instruction = m_scratch[count];
        if (m_decoder.decode({ host + used, available - used }, code32, instruction) == Decoder::Outcome::NeedsMore)
            break;
        used += instruction.length;
        ++count;
        // After an access to a port the board may look different: A20, interrupts, memory that DMA has filled.
        if (instruction.entry->attributes & (attribute::endsBlock | attribute::ioPrivileged))
            break;
    }
    if (count == 0)
        return nullptr;
    Block block;
    block.count = static_cast<uint16_t>(count);
    block.code32 = code32;
    block.lastByte = static_cast<uint32_t>(used - 1);
    block.physical = physical;
    Block* kept = keep(block, m_scratch.data());
    listInPage(*kept, physical, used);
    return kept;
}

// Nothing where the second page is no memory.
Block* CodeCache::decodeStraddling(uint32_t linear, PhysicalAddress physical, bool code32)
{
    const PhysicalAddress secondPage = m_linearMemory.translateFetch((linear | (pageSize - 1)) + 1);
    const uint8_t* second = m_memory.pageHost(secondPage);
    if (!second || (m_group && !settle(secondPage)))
        return nullptr;
    watchPage(secondPage);
    const uint64_t inFirst = pageSize - physical % pageSize;
    std::array<uint8_t, Decoder::longestInstruction> bytes;
    std::copy_n(m_memory.host(physical), inFirst, bytes.begin());
    std::copy_n(second, bytes.size() - inFirst, bytes.begin() + inFirst);
    Instruction& instruction = m_scratch[0];
    m_decoder.decode(bytes, code32, instruction);

    Block block;
    block.count = 1;
    block.code32 = code32;
    block.lastByte = instruction.length - 1u;
    block.physical = physical;
    block.secondPage = secondPage;
    Block* kept = keep(block, m_scratch.data());
    listInPage(*kept, physical, inFirst);
    // What the first page's bytes alone have decided may still have looked here; then there is nothing to watch.
    if (instruction.length > inFirst)
        listInPage(*kept, secondPage, instruction.length - inFirst);
    return kept;
}

// Code in a device, one instruction at a time: nobody tells when such memory changes.
const Block& CodeCache::decodeUncached(uint32_t linear, bool code32)
{
    std::array<uint8_t, Decoder::longestInstruction> bytes {};
    size_t count = 0;
    do {
        bytes[count] = fetchByte(m_linearMemory.translateFetch(linear + static_cast<uint32_t>(count)));
        ++count;
    } while (m_decoder.decode(std::span(bytes).first(count), code32, m_scratch[0]) == Decoder::Outcome::NeedsMore);
    m_uncached = Block {};
    m_uncached.instructions = m_scratch.data();
    m_uncached.count = 1;
    m_uncached.code32 = code32;
    m_uncached.lastByte = m_scratch[0].length - 1u;
    return m_uncached;
}

uint8_t CodeCache::fetchByte(PhysicalAddress physical)
{
    if (const uint8_t* host = m_memory.host(physical))
        return *host;
    return static_cast<uint8_t>(m_bus.mmioRead(physical, 1));
}

// Gives a block and its instructions their place. Nothing runs meanwhile, so a full cache may be emptied.
Block* CodeCache::keep(Block block, const Instruction* instructions)
{
    m_counters.blocksDecoded.add();
    if (m_usedInChunk + block.count > chunkSize) {
        if (m_usedChunks == mostChunks) {
            dropBlocks();
            watchPage(block.physical);
            if (block.secondPage)
                watchPage(*block.secondPage);
        }
        if (m_usedChunks == m_chunks.size())
            m_chunks.push_back(std::make_unique<Instruction[]>(chunkSize));
        ++m_usedChunks;
        m_usedInChunk = 0;
    }
    Instruction* place = m_chunks[m_usedChunks - 1].get() + m_usedInChunk;
    std::copy_n(instructions, block.count, place);
    m_usedInChunk += block.count;
    block.instructions = place;
    Block*& bucket = m_buckets[bucketOf(block.physical)];
    block.nextInBucket = bucket;
    bucket = &m_blocks.emplace_back(block);
    return bucket;
}

void CodeCache::setGroup(ProcessorGroup* group, unsigned index)
{
    m_group = group;
    m_groupIndex = index;
}

void CodeCache::stopFastWrites(PhysicalAddress page)
{
    m_linearMemory.dropWriteEntries(page);
}

void CodeCache::stopFastWrites()
{
    m_linearMemory.dropWriteEntries();
}

bool CodeCache::settle(PhysicalAddress physical)
{
    watchPage(physical);
    if (!m_group)
        return true;
    Page& page = m_pages[physical / pageSize];
    if (page.ticket && m_group->isSettled(page.ticket))
        page.ticket = 0;
    return page.ticket == 0;
}

void CodeCache::watchPage(PhysicalAddress physical)
{
    if (m_group) {
        const auto [page, isNew] = m_pages.try_emplace(physical / pageSize);
        if (isNew) {
            page->second.ticket = m_group->claimCode(m_groupIndex, physical);
            m_linearMemory.dropWriteEntries(physical);
        }
        // The longest block that may begin here, before it is known how long it is.
        const uint64_t offset = physical % pageSize;
        constexpr uint64_t longest = longestBlock * uint64_t { Decoder::longestInstruction };
        const uint64_t lines = linesOf(offset, std::min(longest, pageSize - offset));
        if ((page->second.told & lines) != lines) {
            page->second.told |= lines;
            m_group->addCodeLines(physical, lines);
        }
        return;
    }
    if (m_memory.flags(physical) & GuestMemory::Code)
        return;
    m_memory.setFlag(physical, GuestMemory::Code);
    m_linearMemory.dropWriteEntries(physical - physical % pageSize);
}

bool CodeCache::watchLines(PhysicalAddress physical, uint64_t lines)
{
    if (!m_group)
        return true;
    Page& page = m_pages[physical / pageSize];
    if ((page.told & lines) == lines)
        return true;
    page.told |= lines;
    m_group->addCodeLines(physical, lines);
    return false;
}

void CodeCache::listInPage(Block& block, PhysicalAddress physical, uint64_t size)
{
    Page& page = m_pages[physical / pageSize];
    page.lines |= linesOf(physical % pageSize, size);
    page.blocks.push_back(&block);
}

void CodeCache::codeWrittenHere(PhysicalAddress physical, unsigned size)
{
    const uint64_t inPage = std::min<uint64_t>(size, pageSize - physical % pageSize);
    if (m_group)
        m_group->codeWritten(m_groupIndex, physical, inPage);
    dropRange(physical, inPage);
    if (inPage < size)
        dropRange(physical + inPage, size - inPage);
}

void CodeCache::codeWrittenElsewhere(PhysicalAddress physical, uint64_t size)
{
    {
        const std::scoped_lock lock(m_notesMutex);
        const bool known = !m_notes.empty() && m_notes.back().address == physical && m_notes.back().size == size;
        if (!known && m_notes.size() < mostNotes)
            m_notes.push_back({ physical, size });
        else if (!known)
            m_tooManyNotes = true;
    }
    m_attention.raise(Attention::CodeWritten);
}

void CodeCache::dropWrittenElsewhere()
{
    std::vector<Note> notes;
    bool everything = false;
    {
        const std::scoped_lock lock(m_notesMutex);
        notes.swap(m_notes);
        everything = std::exchange(m_tooManyNotes, false);
    }
    if (everything) {
        dropAll();
        return;
    }
    for (auto [address, size] : notes) {
        while (size > 0) {
            const uint64_t inPage = std::min(size, pageSize - address % pageSize);
            dropRange(address, inPage);
            address += inPage;
            size -= inPage;
        }
    }
}

bool CodeCache::covers(const Block& block, PhysicalAddress physical, uint64_t size)
{
    const auto overlap
        = [&](PhysicalAddress first, uint64_t length) { return first < physical + size && physical < first + length; };
    const uint64_t length = block.lastByte + uint64_t { 1 };
    if (!block.secondPage)
        return overlap(block.physical, length);
    const uint64_t inFirst = std::min(length, pageSize - block.physical % pageSize);
    return overlap(block.physical, inFirst) || (length > inFirst && overlap(*block.secondPage, length - inFirst));
}

void CodeCache::dropRange(PhysicalAddress physical, uint64_t size)
{
    if (m_follower)
        m_follower->codeWritten(physical, size);
    const auto found = m_pages.find(physical / pageSize);
    if (found != m_pages.end() && (found->second.lines & linesOf(physical % pageSize, size))) {
        Page& page = found->second;
        m_counters.codeInvalidations.add();
        page.lines = 0;
        std::erase_if(page.blocks, [&](Block* block) {
            if (!block->dropped && covers(*block, physical, size))
                drop(*block);
            if (block->dropped)
                return true;
            page.lines |= linesOfBlock(*block, physical - physical % pageSize);
            return false;
        });
    }
    forgetPageWithoutCode(physical);
}

// A page that is not settled has none yet, but will have.
void CodeCache::forgetPageWithoutCode(PhysicalAddress physical)
{
    const auto found = m_pages.find(physical / pageSize);
    if (found != m_pages.end() && (!found->second.blocks.empty() || found->second.ticket))
        return;
    if (m_follower && m_follower->holdsCodeOf(physical))
        return;
    if (!m_group)
        m_memory.clearFlag(physical, GuestMemory::Code);
    else if (found != m_pages.end())
        m_group->releaseCode(m_groupIndex, physical);
    if (found != m_pages.end())
        m_pages.erase(found);
}

void CodeCache::drop(Block& block)
{
    block.dropped = true;
    Block** link = &m_buckets[bucketOf(block.physical)];
    while (*link != &block)
        link = &(*link)->nextInBucket;
    *link = block.nextInBucket;
    if (block.severalSlots)
        for (Slot& slot : m_slots)
            if (slot.block == &block)
                slot = {};
    if (m_slots[block.slot].block == &block)
        m_slots[block.slot] = {};
    if (m_running == &block && m_leaveBlock)
        *m_leaveBlock = true;
}

void CodeCache::dropAll()
{
    if (m_follower)
        m_follower->dropAllCode();
    dropBlocks();
}

// The blocks alone. Pages that the follower has something of stay watched.
void CodeCache::dropBlocks()
{
    std::fill(m_slots.begin(), m_slots.end(), Slot {});
    std::fill(m_buckets.begin(), m_buckets.end(), nullptr);
    for (auto& [number, page] : m_pages) {
        page.blocks.clear();
        page.lines = 0;
    }
    std::erase_if(m_pages, [this](const auto& numberAndPage) {
        const PhysicalAddress address = numberAndPage.first * pageSize;
        if (m_follower && m_follower->holdsCodeOf(address))
            return !m_group;
        if (m_group)
            m_group->releaseCode(m_groupIndex, address);
        else
            m_memory.clearFlag(address, GuestMemory::Code);
        return true;
    });
    m_blocks.clear();
    m_usedChunks = 0;
    m_usedInChunk = chunkSize;
    m_running = nullptr;
}

} // namespace namsan
