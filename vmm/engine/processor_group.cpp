// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/processor_group.h"

#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/interpret/attention.h"

#include <cassert>
#include <utility>

namespace namsan {

namespace {
constexpr uint64_t pageSize = GuestMemory::pageSize;
}

ProcessorGroup::ProcessorGroup(GuestMemory& memory, unsigned count)
    : m_memory(memory)
    , m_count(count)
{
    assert(count <= most);
}

void ProcessorGroup::connect(unsigned index, Attention& attention, CodeCache& codeCache)
{
    m_members[index].attention = &attention;
    m_members[index].codeCache = &codeCache;
}

void ProcessorGroup::connect(unsigned index, Attention& attention, std::function<void()> nudge)
{
    m_members[index].attention = &attention;
    m_members[index].nudge = std::move(nudge);
}

void ProcessorGroup::beginRun(unsigned index)
{
    // Sequentially consistent, like the look at it in isSettled(): either that sees a runner, or the runner sees its
    // attention raised.
    m_members[index].running.store(true);
    enter(index);
}

void ProcessorGroup::endRun(unsigned index)
{
    leave(index);
    m_members[index].running.store(false);
}

// -- exclusive sections ----------------------------------------------------------------------------------------------

void ProcessorGroup::enter(unsigned index)
{
    Member& member = m_members[index];
    while (true) {
        member.active.store(true);
        if (!m_exclusive.load())
            return;
        leave(index);
        std::unique_lock lock(m_exclusiveMutex);
        m_exclusiveChanged.wait(lock, [this] { return !m_exclusive.load(); });
    }
}

void ProcessorGroup::leave(unsigned index)
{
    m_members[index].active.store(false);
    if (!m_exclusive.load())
        return;
    const std::lock_guard guard(m_exclusiveMutex);
    m_exclusiveChanged.notify_all();
}

bool ProcessorGroup::othersAreActive(unsigned index) const
{
    for (unsigned other = 0; other < m_count; ++other)
        if (other != index && m_members[other].active.load())
            return true;
    return false;
}

void ProcessorGroup::runExclusively(unsigned index, const std::function<void()>& section)
{
    leave(index); // two that want to be alone must not wait for each other
    std::unique_lock turn(m_turn);
    {
        std::unique_lock lock(m_exclusiveMutex);
        m_exclusive.store(true);
        for (unsigned other = 0; other < m_count; ++other) {
            const Member& member = m_members[other];
            if (other == index || !member.active.load())
                continue;
            member.attention->raise(Attention::Exclusive);
            if (member.nudge)
                member.nudge();
        }
        m_exclusiveChanged.wait(lock, [&] { return !othersAreActive(index); });
    }
    const auto goOn = [&] {
        {
            const std::lock_guard guard(m_exclusiveMutex);
            m_exclusive.store(false);
            m_exclusiveChanged.notify_all();
        }
        turn.unlock();
        enter(index);
    };
    try {
        section();
    } catch (...) { // DMA may have taken the page away, so that the access faults
        goOn();
        throw;
    }
    goOn();
}

void ProcessorGroup::attendExclusive(unsigned index)
{
    m_members[index].attention->clear(Attention::Exclusive);
    leave(index);
    enter(index);
}

// -- pages with code -------------------------------------------------------------------------------------------------

uint64_t ProcessorGroup::claimCode(unsigned index, PhysicalAddress address)
{
    const std::lock_guard guard(m_codeMutex);
    CodePage& page = m_codePages[address / pageSize];
    const bool isNew = page.owners == 0;
    page.owners |= 1u << index;
    if (!isNew)
        return page.ticket;
    page.ticket = ++m_lastTicket;
    m_memory.setFlag(address, GuestMemory::Code);
    for (unsigned each = 0; each < m_count; ++each) {
        Member& member = m_members[each];
        if (member.codePages.size() < mostPagesWaiting)
            member.codePages.push_back(address - address % pageSize);
        else
            member.tooManyPages = true;
        member.attention->raise(Attention::CodePages);
    }
    return page.ticket;
}

// A processor that does not run sees what waits for it before its first instruction.
bool ProcessorGroup::isSettled(uint64_t ticket) const
{
    for (unsigned each = 0; each < m_count; ++each) {
        const Member& member = m_members[each];
        if (member.seenTicket.load() < ticket && member.running.load() && member.seenTicket.load() < ticket)
            return false;
    }
    return true;
}

void ProcessorGroup::attendCodePages(unsigned index)
{
    Member& member = m_members[index];
    member.attention->clear(Attention::CodePages);
    std::vector<PhysicalAddress> pages;
    bool all = false;
    uint64_t ticket = 0;
    {
        const std::lock_guard guard(m_codeMutex);
        pages.swap(member.codePages);
        all = std::exchange(member.tooManyPages, false);
        ticket = m_lastTicket;
    }
    if (all)
        member.codeCache->stopFastWrites();
    else
        for (const PhysicalAddress page : pages)
            member.codeCache->stopFastWrites(page);
    member.seenTicket.store(ticket);
}

void ProcessorGroup::addCodeLines(PhysicalAddress address, uint64_t lines)
{
    const std::lock_guard guard(m_codeMutex);
    m_codePages[address / pageSize].lines |= lines;
}

void ProcessorGroup::releaseCode(unsigned index, PhysicalAddress address)
{
    const std::lock_guard guard(m_codeMutex);
    const auto found = m_codePages.find(address / pageSize);
    if (found == m_codePages.end())
        return;
    found->second.owners &= ~(1u << index);
    if (found->second.owners)
        return;
    m_memory.clearFlag(address, GuestMemory::Code);
    m_codePages.erase(found);
}

// The lock also puts the store before the look at the lines; addCodeLines() puts its lines before the decoder's look at
// the bytes. So one of the two sees the other.
void ProcessorGroup::codeWritten(unsigned index, PhysicalAddress address, uint64_t size)
{
    const std::lock_guard guard(m_codeMutex);
    const auto found = m_codePages.find(address / pageSize);
    if (found == m_codePages.end() || !(found->second.lines & CodeCache::linesOf(address % pageSize, size)))
        return;
    for (unsigned other = 0; other < m_count; ++other)
        if (other != index && (found->second.owners >> other & 1))
            m_members[other].codeCache->codeWrittenElsewhere(address, size);
}

} // namespace namsan
