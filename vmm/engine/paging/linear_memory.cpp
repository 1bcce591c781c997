// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/linear_memory.h"

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/interpret/fault.h"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace namsan {

static constexpr uint64_t addressLine20 = 1 << 20;

LinearMemory::LinearMemory(GuestMemory& memory, GuestBus& bus, VcpuCounters& counters, uint32_t& cr2)
    : m_memory(memory)
    , m_bus(bus)
    , m_counters(counters)
    , m_cr2(cr2)
    , m_walk(memory)
    , m_tables(std::make_unique<std::array<Table, 2>>())
    , m_current(&tableOf(Privilege::Supervisor))
{
    tableOf(Privilege::User).user = true;
}

void LinearMemory::setControl(const Control& control)
{
    constexpr uint32_t relevantCr0 = cr0::paging | cr0::writeProtect | cr0::protectionEnable;
    constexpr uint32_t relevantCr4 = cr4::pageSizeExtensions | cr4::pageGlobalEnable | cr4::physicalAddressExtension;
    const bool changed = ((control.cr0 ^ m_control.cr0) & relevantCr0) || ((control.cr4 ^ m_control.cr4) & relevantCr4)
        || control.cr3 != m_control.cr3 || control.efer != m_control.efer
        || control.pageDirectoryPointers != m_control.pageDirectoryPointers;
    m_control = control;
    if (changed)
        flushAll();
}

// -- forgetting ------------------------------------------------------------------------------------------------------

template <class Condition> void LinearMemory::forgetWhere(Table& table, Condition condition)
{
    for (size_t word = 0; word < table.used.size(); ++word) {
        for (uint64_t rest = table.used[word]; rest; rest &= rest - 1) {
            const auto bit = static_cast<size_t>(std::countr_zero(rest));
            const size_t index = word * 64 + bit;
            if (!condition(table.cached[index]))
                continue;
            table.entries[index] = {};
            table.cached[index] = {};
            table.used[word] &= ~(uint64_t { 1 } << bit);
        }
    }
}

void LinearMemory::reloadCr3(uint32_t cr3, const PageDirectoryPointers& pointers)
{
    m_control.cr3 = cr3;
    m_control.pageDirectoryPointers = pointers;
    ++m_generation;
    for (Table& table : *m_tables)
        forgetWhere(table, [](const Cached& cached) { return !cached.translation.global; });
}

void LinearMemory::invalidatePage(uint32_t linear)
{
    ++m_generation;
    const uint32_t page = linear & pageMask;
    for (Table& table : *m_tables) {
        const size_t index = indexOf(linear);
        if (table.cached[index].linearPage == page) {
            table.entries[index] = {};
            table.cached[index] = {};
            table.used[index / 64] &= ~(uint64_t { 1 } << index % 64);
        }
        // One page of 2 or 4 MiB sits in many entries here; INVLPG of any address in it forgets all of it.
        if (m_hadLargePages[linear >> 22])
            forgetWhere(table, [linear](const Cached& cached) {
                return cached.translation.large && cached.linearPage >> 22 == linear >> 22;
            });
    }
}

void LinearMemory::flushAll()
{
    ++m_generation;
    for (Table& table : *m_tables)
        forgetWhere(table, [](const Cached&) { return true; });
    m_hadLargePages.reset();
}

void LinearMemory::setA20(bool open)
{
    m_addressMask = open ? ~uint64_t { 0 } : ~addressLine20;
    m_walk.setAddressMask(m_addressMask);
    flushAll();
}

void LinearMemory::setCodeCache(CodeCache* codeCache)
{
    m_codeCache = codeCache;
    m_walk.setCodeCache(codeCache);
}

void LinearMemory::dropWriteEntries(PhysicalAddress page)
{
    const PhysicalAddress physicalPage = page - page % GuestMemory::pageSize;
    for (Table& table : *m_tables)
        for (size_t index = 0; index < entryCount; ++index)
            if (table.cached[index].translation.physicalPage == physicalPage)
                table.entries[index].writeTag = noTag;
}

// -- translating -----------------------------------------------------------------------------------------------------

void LinearMemory::fill(Table& table, uint32_t linear, const PageTranslation& translation)
{
    const uint32_t page = linear & pageMask;
    const size_t index = indexOf(linear);
    table.cached[index] = { page, translation };
    table.used[index / 64] |= uint64_t { 1 } << index % 64;
    if (translation.large)
        m_hadLargePages.set(linear >> 22);

    Entry& entry = table.entries[index];
    entry = {};
    const uint8_t* host = m_memory.pageHost(translation.physicalPage);
    if (!host || isWatched(page))
        return;
    entry.addend = reinterpret_cast<uintptr_t>(host) - page;
    entry.readTag = page;
    if (translation.writable && !(m_memory.flags(translation.physicalPage) & GuestMemory::writesAreSpecial))
        entry.writeTag = page;
}

// A page that was special when its entry was made may be plain by now. The translation is there and writable.
void LinearMemory::allowFastWrites(Table& table, uint32_t linear)
{
    Entry& entry = table.entries[indexOf(linear)];
    const PhysicalAddress physicalPage = table.cached[indexOf(linear)].translation.physicalPage;
    if (entry.readTag != noTag && !(m_memory.flags(physicalPage) & GuestMemory::writesAreSpecial))
        entry.writeTag = entry.readTag;
}

bool LinearMemory::serves(const Cached& cached, uint32_t linear, Kind kind)
{
    if (cached.linearPage != (linear & pageMask))
        return false;
    switch (kind) {
    case Kind::Read:
        return true;
    case Kind::Write:
        return cached.translation.writable;
    case Kind::Fetch:
        break;
    }
    return cached.translation.executable;
}

// Gives the error code of the page fault that the access must end in, or the physical address.
std::optional<uint32_t> LinearMemory::tryTranslate(uint32_t linear, Kind kind, Table& table, PhysicalAddress& physical)
{
    const Cached& cached = table.cached[indexOf(linear)];
    if (!serves(cached, linear, kind)) {
        m_counters.tlbMisses.add();
        if (m_control.cr0 & cr0::paging) {
            const PageWalkResult result
                = m_walk.walk(m_control, linear, { kind == Kind::Write, table.user, kind == Kind::Fetch });
            if (result.errorCode)
                return result.errorCode;
            fill(table, linear, result.translation);
        } else {
            fill(table, linear, { linear & pageMask & m_addressMask, true, false, false });
        }
    }
    physical = cached.translation.physicalPage | (linear & ~pageMask);
    return {};
}

PhysicalAddress LinearMemory::translate(uint32_t linear, Kind kind, Table& table)
{
    PhysicalAddress physical = 0;
    const auto errorCode = tryTranslate(linear, kind, table, physical);
    if (errorCode) {
        // The translation that failed may be cached with fewer rights than the tables now give or take; what faults
        // is forgotten. SDM volume 3, 4.10.4.1.
        const size_t index = indexOf(linear);
        if (table.cached[index].linearPage == (linear & pageMask)) {
            table.entries[index] = {};
            table.cached[index] = {};
            table.used[index / 64] &= ~(uint64_t { 1 } << index % 64);
            ++m_generation;
        }
        m_cr2 = linear;
        m_counters.pageFaults.add();
        throw Fault { Exception::PageFault, *errorCode };
    }
    return physical;
}

PhysicalAddress LinearMemory::translateFetch(uint32_t linear)
{
    return translate(linear, Kind::Fetch, *m_current);
}

PhysicalAddress LinearMemory::translateRead(uint32_t linear)
{
    return translate(linear, Kind::Read, *m_current);
}

PhysicalAddress LinearMemory::translateWrite(uint32_t linear)
{
    static_assert(offsetof(Entry, readTag) == FastLayout::readTagOffset
        && offsetof(Entry, writeTag) == FastLayout::writeTagOffset
        && offsetof(Entry, addend) == FastLayout::addendOffset);
    return translate(linear, Kind::Write, *m_current);
}

void LinearMemory::probeSlow(uint32_t linear, unsigned size, bool write, Table& table)
{
    translate(linear, kindOf(write), table);
    const uint32_t last = linear + size - 1;
    if ((last ^ linear) & pageMask)
        translate(last & pageMask, kindOf(write), table);
}

uint8_t* LinearMemory::direct(uint32_t linear, unsigned size, bool write)
{
    // Each element of what is done here at once would have to be looked at.
    if ((linear & ~pageMask) + size > GuestMemory::pageSize || m_checksAlignment)
        return nullptr;
    const Entry& entry = m_current->entries[indexOf(linear)];
    const uint32_t page = linear & pageMask;
    if ((write ? entry.writeTag : entry.readTag) != page) {
        PhysicalAddress physical = 0;
        if (tryTranslate(linear, kindOf(write), *m_current, physical))
            return nullptr;
        if (write)
            allowFastWrites(*m_current, linear);
        if ((write ? entry.writeTag : entry.readTag) != page)
            return nullptr;
    }
    return reinterpret_cast<uint8_t*>(entry.addend + linear);
}

uint8_t* LinearMemory::directRead(uint32_t linear, unsigned size)
{
    return direct(linear, size, false);
}

uint8_t* LinearMemory::directWrite(uint32_t linear, unsigned size)
{
    return direct(linear, size, true);
}

// -- alignment checks and data breakpoints
// ------------------------------------------------------------------------------

void LinearMemory::setAlignmentCheck(bool on)
{
    m_checksAlignment = on;
    m_looksCloser = on || std::ranges::any_of(m_watches, [](const Watch& watch) { return watch.size != 0; });
}

void LinearMemory::requireAlignment(uint32_t linear, unsigned alignment) const
{
    if (m_checksAlignment && (linear & (alignment - 1)) && m_current->user)
        throw Fault { Exception::AlignmentCheck, 0 };
}

void LinearMemory::setWatches(const std::array<Watch, watchCount>& watches)
{
    m_watches = watches;
    m_watchHits = 0;
    setAlignmentCheck(m_checksAlignment);
    flushAll(); // of fast entries there may be too many now, or too few
}

bool LinearMemory::isWatched(uint32_t page) const
{
    return m_looksCloser && std::ranges::any_of(m_watches, [page](const Watch& watch) {
        return watch.size != 0 && (watch.linear & pageMask) == page;
    });
}

void LinearMemory::checkAndNote(uint32_t linear, unsigned size, bool write, const Table& table)
{
    if (m_checksAlignment && table.user && (linear & (size - 1)))
        throw Fault { Exception::AlignmentCheck, 0 };
    for (size_t n = 0; n < watchCount; ++n) {
        const Watch& watch = m_watches[n];
        const bool overlaps = linear - watch.linear < watch.size || watch.linear - linear < size;
        if (watch.size != 0 && overlaps && (write || watch.reads))
            m_watchHits |= 1u << n;
    }
}

// -- the slow way ----------------------------------------------------------------------------------------------------

uint64_t LinearMemory::readSlow(uint32_t linear, unsigned size, Table& table)
{
    const auto inFirstPage = static_cast<unsigned>(GuestMemory::pageSize - (linear & ~pageMask));
    const PhysicalAddress first = translate(linear, Kind::Read, table);
    if (size <= inFirstPage) {
        lookCloser(linear, size, false, table);
        return readPhysical(first, size);
    }
    const PhysicalAddress second = translate(linear + inFirstPage, Kind::Read, table);
    lookCloser(linear, size, false, table);
    const uint64_t low = readPhysical(first, inFirstPage);
    return low | readPhysical(second, size - inFirstPage) << (8 * inFirstPage);
}

void LinearMemory::writeSlow(uint32_t linear, unsigned size, uint64_t value, Table& table)
{
    const auto inFirstPage = static_cast<unsigned>(GuestMemory::pageSize - (linear & ~pageMask));
    const PhysicalAddress first = translate(linear, Kind::Write, table);
    if (size <= inFirstPage) {
        allowFastWrites(table, linear);
        lookCloser(linear, size, true, table);
        writePhysical(first, size, value);
        return;
    }
    const PhysicalAddress second = translate(linear + inFirstPage, Kind::Write, table);
    lookCloser(linear, size, true, table);
    writePhysical(first, inFirstPage, value);
    writePhysical(second, size - inFirstPage, value >> (8 * inFirstPage));
}

// The bytes lie in one page. Where they are no memory, sizes that are no bus cycle (a part of a crossing access) become
// several that are.
uint64_t LinearMemory::readPhysical(PhysicalAddress physical, unsigned size)
{
    if (const uint8_t* host = m_memory.host(physical)) {
        uint64_t value = 0;
        std::memcpy(&value, host, size);
        return value;
    }
    uint64_t value = 0;
    for (unsigned done = 0; done < size;) {
        const unsigned part = std::bit_floor(size - done);
        m_counters.mmioReads.add();
        uint64_t read = m_bus.mmioRead(physical + done, part);
        if (part < 8)
            read &= (uint64_t { 1 } << (8 * part)) - 1;
        value |= read << (8 * done);
        done += part;
    }
    return value;
}

void LinearMemory::writePhysical(PhysicalAddress physical, unsigned size, uint64_t value)
{
    if (uint8_t* host = m_memory.host(physical)) {
        const uint8_t flags = m_memory.flags(physical);
        if (flags & GuestMemory::ReadOnly)
            return;
        std::memcpy(host, &value, size);
        if (!(flags & GuestMemory::writesAreSpecial))
            return;
        m_memory.noteWrite(physical);
        if ((flags & GuestMemory::Code) && m_codeCache)
            m_codeCache->codeWrittenHere(physical, size);
        return;
    }
    for (unsigned done = 0; done < size;) {
        const unsigned part = std::bit_floor(size - done);
        m_counters.mmioWrites.add();
        uint64_t written = value >> (8 * done);
        if (part < 8)
            written &= (uint64_t { 1 } << (8 * part)) - 1;
        m_bus.mmioWrite(physical + done, part, written);
        done += part;
    }
}

} // namespace namsan
