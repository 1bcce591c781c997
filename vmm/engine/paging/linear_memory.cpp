// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/linear_memory.h"

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/interpret/fault.h"
#include "vmm/engine/paging/flat_tables.h"
#include "vmm/engine/processor_group.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstring>

namespace namsan {

static constexpr uint64_t addressLine20 = 1 << 20;

LinearMemory::LinearMemory(GuestMemory& memory, GuestBus& bus, VcpuCounters& counters, uint32_t& cr2)
    : m_memory(memory)
    , m_bus(bus)
    , m_counters(counters)
    , m_cr2(cr2)
    , m_walk(memory)
    , m_set(&m_sets.first())
    , m_current(&tableOf(Privilege::Supervisor))
{
    noteFetchGeneration();
}

LinearMemory::~LinearMemory() = default;

void LinearMemory::setControl(const Control& control)
{
    constexpr uint32_t relevantCr0 = cr0::paging | cr0::writeProtect | cr0::protectionEnable;
    constexpr uint32_t relevantCr4 = cr4::pageSizeExtensions | cr4::pageGlobalEnable | cr4::physicalAddressExtension;
    const bool changed = ((control.cr0 ^ m_control.cr0) & relevantCr0) || ((control.cr4 ^ m_control.cr4) & relevantCr4)
        || control.cr3 != m_control.cr3 || control.efer != m_control.efer
        || control.pageDirectoryPointers != m_control.pageDirectoryPointers;
    m_control = control;
    if (!changed)
        return;
    if (m_flatMemory)
        m_flatMemory->largePagesFillRegions(!(control.cr4 & cr4::physicalAddressExtension));
    enterAddressSpace();
    refresh(GlobalPages::LookUp);
}

// -- forgetting ------------------------------------------------------------------------------------------------------

void LinearMemory::reloadCr3(uint32_t cr3, const PageDirectoryPointers& pointers)
{
    m_control.cr3 = cr3;
    m_control.pageDirectoryPointers = pointers;
    enterAddressSpace();
    catchUpWithInvalidations();
    refresh(GlobalPages::Keep);
}

void LinearMemory::noteFetchGeneration()
{
    const bool user = m_privilege == Privilege::User;
    m_fetchGeneration = (user ? m_set->userFetches : m_supervisorFetches).generation() << 1 | (user ? 1 : 0);
}

// Makes the set of the address space that CR3 names the one that counts, with whatever it held when it last did.
void LinearMemory::enterAddressSpace()
{
    constexpr uint32_t pointerTable = 0xffffffe0; // of CR3 with PAE
    const uint32_t directory = m_control.cr3 & pointerTable;
    if (!(m_control.cr0 & cr0::paging) || directory == m_set->directory)
        return;
    TranslationSet& before = *m_set;
    const TranslationSets::Found found = m_sets.find(directory);
    m_set = found.set;
    m_current = &tableOf(m_privilege);
    if (m_flatMemory && !m_set->flat)
        provideFlat(*m_set);
    if (found.wasThere)
        return;
    if (m_set->flat)
        m_set->flat->clear();
    for (Table& table : m_set->tables)
        table.forEachUsed([&table](size_t index) { table.forget(index); });
    m_set->hadLargePages.reset();
    m_set->userFetches.restart(++m_lastGeneration);
    m_set->invalidations = m_invalidations;
    if (&before != m_set)
        copyGlobals(before);
}

// A new address space begins with the system's part of the one before.
void LinearMemory::copyGlobals(TranslationSet& from)
{
    constexpr auto supervisor = static_cast<size_t>(Privilege::Supervisor);
    Table& source = from.tables[supervisor];
    source.forEachUsed([&](size_t index) {
        const Cached& cached = source.cached[index];
        if (cached.translation.global)
            fill(m_set->tables[supervisor], cached.linearPage, cached.translation);
    });
}

// What is cached and what fetches were given is looked up again, and forgotten where a walk would find it otherwise, or
// would have to set bits or fault.
void LinearMemory::refresh(GlobalPages globals)
{
    const bool specialPagesChanged = m_set->specialEpoch != m_specialEpoch;
    m_set->specialEpoch = m_specialEpoch;
    if (globals == GlobalPages::LookUp) {
        m_invalidations += m_invalidated.size() + 1; // of global pages the other sets know too much now
        m_set->invalidations = m_invalidations;
    }
    for (Table& table : m_set->tables)
        refreshTable(table, globals, specialPagesChanged);
    if (m_set->flat)
        m_set->flat->refresh(m_walk, m_control, globals, specialPagesChanged);
    refreshFetches(m_supervisorFetches, globals);
    refreshFetches(m_set->userFetches, globals);
    noteFetchGeneration();
}

void LinearMemory::refreshFetches(FetchPages& fetches, GlobalPages globals)
{
    if (!fetches.hold(m_walk, m_control, globals == GlobalPages::Keep))
        fetches.restart(++m_lastGeneration);
}

void LinearMemory::refreshTable(Table& table, GlobalPages globals, bool specialPagesChanged)
{
    table.forEachUsed([&](size_t index) {
        const Cached& cached = table.cached[index];
        if (globals == GlobalPages::Keep && cached.translation.global) {
            if (specialPagesChanged)
                fill(table, cached.linearPage, cached.translation);
            return;
        }
        const auto translation = m_walk.peek(m_control, cached.linearPage, table.user);
        if (!translation)
            table.forget(index);
        else if (specialPagesChanged || *translation != cached.translation)
            fill(table, cached.linearPage, *translation);
    });
}

void LinearMemory::forgetFetches(FetchPages& fetches, uint32_t linear)
{
    if (fetches.holds(linear))
        fetches.restart(++m_lastGeneration);
    noteFetchGeneration();
}

// One page of 4 MiB sits in many entries here; INVLPG of any address in it forgets all of it.
void LinearMemory::forgetLargePage(Table& table, uint32_t linear)
{
    table.forEachUsed([&](size_t index) {
        const Cached& cached = table.cached[index];
        if (cached.translation.large && cached.linearPage >> 22 == linear >> 22)
            table.forget(index);
    });
}

void LinearMemory::forgetPage(TranslationSet& set, uint32_t linear)
{
    for (Table& table : set.tables) {
        if (table.cached[indexOf(linear)].linearPage == (linear & pageMask))
            table.forget(indexOf(linear));
        if (set.hadLargePages[linear >> 22])
            forgetLargePage(table, linear);
    }
    forgetFetches(set.userFetches, linear);
}

// Does to this set's global pages what was done while others counted.
void LinearMemory::catchUpWithInvalidations()
{
    const uint64_t missed = m_invalidations - std::exchange(m_set->invalidations, m_invalidations);
    if (missed > m_invalidated.size()) {
        for (Table& table : m_set->tables)
            refreshTable(table, GlobalPages::LookUp, false);
        refreshFetches(m_set->userFetches, GlobalPages::LookUp);
        return;
    }
    for (uint64_t back = missed; back > 0; --back)
        forgetPage(*m_set, m_invalidated[(m_invalidations - back) % m_invalidated.size()]);
}

void LinearMemory::invalidatePage(uint32_t linear)
{
    forgetPage(*m_set, linear);
    m_invalidated[m_invalidations++ % m_invalidated.size()] = linear;
    m_set->invalidations = m_invalidations;
    if (m_set->flat && m_set->hadLargePages[linear >> 22])
        m_set->flat->forgetRegionOf(linear);
    else if (m_set->flat)
        m_set->flat->forgetPage(linear);
    forgetFetches(m_supervisorFetches, linear);
}

void LinearMemory::flushAll()
{
    refresh(GlobalPages::LookUp);
}

void LinearMemory::setA20(bool open)
{
    m_addressMask = open ? ~uint64_t { 0 } : ~addressLine20;
    m_walk.setAddressMask(m_addressMask);
    for (const auto& set : m_sets.all())
        if (set->flat)
            set->flat->clear(); // large pages are not what they were
    if (m_set->flat)
        m_set->flat->clearCommon();
    flushAll();
}

void LinearMemory::setCodeCache(CodeCache* codeCache)
{
    m_codeCache = codeCache;
    m_walk.setCodeCache(codeCache);
}

void LinearMemory::setGroup(ProcessorGroup* group, unsigned index)
{
    m_group = group;
    m_groupIndex = index;
}

void LinearMemory::dropWriteEntries()
{
    m_set->specialEpoch = ++m_specialEpoch; // the other sets see it when they next count
    for (Table& table : m_set->tables)
        table.forEachUsed([&table](size_t index) { table.entries[index].writeTag = noTag; });
    if (!m_set->flat)
        return;
    m_set->flat->clear();
    m_set->flat->clearCommon();
}

void LinearMemory::dropWriteEntries(PhysicalAddress page)
{
    const PhysicalAddress physicalPage = page - page % GuestMemory::pageSize;
    m_set->specialEpoch = ++m_specialEpoch; // the other sets see it when they next count
    for (Table& table : m_set->tables)
        table.forEachUsed([&](size_t index) {
            if (table.cached[index].translation.physicalPage == physicalPage)
                table.entries[index].writeTag = noTag;
        });
    if (m_set->flat)
        m_set->flat->forgetWrites(physicalPage);
}

// -- translating -----------------------------------------------------------------------------------------------------

void LinearMemory::fill(Table& table, uint32_t linear, const PageTranslation& translation)
{
    const uint32_t page = linear & pageMask;
    const size_t index = indexOf(linear);
    table.cached[index] = { page, translation };
    table.used[index / 64] |= uint64_t { 1 } << index % 64;
    if (m_fillsFlat) {
        const size_t before = m_set->flat->bytes();
        m_set->flat->enterPage(linear, table.user, translation);
        noteFlatGrowth(before);
    }
    if (translation.large)
        m_set->hadLargePages.set(linear >> 22);

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

std::optional<Fault> LinearMemory::translateOrFault(uint32_t linear, Kind kind, Table& table, PhysicalAddress& physical)
{
    const auto errorCode = tryTranslate(linear, kind, table, physical);
    if (!errorCode)
        return {};
    // The translation that failed may be cached with fewer rights than the tables now give or take; what faults is
    // forgotten. SDM volume 3, 4.10.4.1.
    if (table.cached[indexOf(linear)].linearPage == (linear & pageMask))
        table.forget(indexOf(linear));
    if (m_set->flat)
        m_set->flat->forgetPage(linear);
    forgetFetches(table.user ? m_set->userFetches : m_supervisorFetches, linear);
    m_cr2 = linear;
    m_counters.pageFaults.add();
    return Fault { Exception::PageFault, *errorCode };
}

PhysicalAddress LinearMemory::translate(uint32_t linear, Kind kind, Table& table)
{
    PhysicalAddress physical = 0;
    if (const auto fault = translateOrFault(linear, kind, table, physical))
        throw *fault;
    return physical;
}

std::optional<Fault> LinearMemory::tryProbe(uint32_t linear, unsigned size, bool write)
{
    PhysicalAddress physical = 0;
    if (const auto fault = translateOrFault(linear, kindOf(write), *m_current, physical))
        return fault;
    const uint32_t last = linear + size - 1;
    if ((last ^ linear) & pageMask)
        return translateOrFault(last & pageMask, kindOf(write), *m_current, physical);
    return {};
}

PhysicalAddress LinearMemory::translateFetch(uint32_t linear)
{
    const PhysicalAddress physical = translate(linear, Kind::Fetch, *m_current);
    FetchPages& fetches = m_current->user ? m_set->userFetches : m_supervisorFetches;
    fetches.add(linear, m_current->cached[indexOf(linear)].translation);
    return physical;
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
    ++m_specialEpoch;
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

// A locked access that the fast way does not take: to a page that is special, unaligned, to no memory at all. Across
// cache lines no instruction of the host should do it, and across pages none could.
void LinearMemory::modifyLockedSlow(uint32_t linear, unsigned size, const std::function<uint64_t(uint64_t)>& change)
{
    constexpr uint32_t lineSize = 64;
    Table& table = *m_current;
    probeSlow(linear, size, true, table);
    const PhysicalAddress first = translate(linear, Kind::Write, table);
    const bool inOneLine = linear % lineSize + size <= lineSize;
    const bool isMemory = m_memory.host(first) != nullptr;
    if (inOneLine && isMemory) {
        allowFastWrites(table, linear);
        lookCloser(linear, size, true, table);
        modifyInOneLine(first, size, change);
        return;
    }
    const auto readAndWrite = [&] { writeSlow(linear, size, change(readSlow(linear, size, table)), table); };
    if (m_group && isMemory && m_memory.host(translate(linear + size - 1, Kind::Write, table)))
        m_group->runExclusively(m_groupIndex, readAndWrite);
    else
        readAndWrite();
}

void LinearMemory::modifyInOneLine(
    PhysicalAddress physical, unsigned size, const std::function<uint64_t(uint64_t)>& change)
{
    uint8_t* host = m_memory.host(physical);
    uint64_t old = host_access::loadAnywhere(host, size);
    if (m_memory.flags(physical) & GuestMemory::ReadOnly) {
        change(old);
        return;
    }
    while (!host_access::compareExchangeAnywhere(host, size, old, change(old))) { }
    noteWritten(physical, size);
}

// After a store into memory.
void LinearMemory::noteWritten(PhysicalAddress physical, unsigned size)
{
    const uint8_t flags = m_memory.flags(physical);
    if (!(flags & GuestMemory::writesAreSpecial))
        return;
    m_memory.noteWrite(physical);
    if ((flags & GuestMemory::Code) && m_codeCache)
        m_codeCache->codeWrittenHere(physical, size);
}

// The bytes lie in one page. Where they are no memory, sizes that are no bus cycle (a part of a crossing access) become
// several that are.
uint64_t LinearMemory::readPhysical(PhysicalAddress physical, unsigned size)
{
    if (const uint8_t* host = m_memory.host(physical))
        return host_access::loadAnywhere(host, size);
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
        if (m_memory.flags(physical) & GuestMemory::ReadOnly)
            return;
        host_access::storeAnywhere(host, size, value);
        noteWritten(physical, size);
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
