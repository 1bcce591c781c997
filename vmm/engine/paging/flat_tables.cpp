// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/flat_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace namsan {

// -- the shared part -------------------------------------------------------------------------------------------------

namespace {

// A file full of one value, or a negative number.
int fileOf(uint64_t value, size_t bytes)
{
    const int file = memfd_create("namsan flat tables", MFD_CLOEXEC);
    if (file < 0)
        return file;
    const std::vector<uint64_t> values(bytes / sizeof value, value);
    if (pwrite(file, values.data(), bytes, 0) == static_cast<ssize_t>(bytes))
        return file;
    close(file);
    return -1;
}

} // namespace

Result<std::unique_ptr<FlatMemory>> FlatMemory::create(std::unique_ptr<GuardedMemory> memory)
{
    std::unique_ptr<FlatMemory> flat(new FlatMemory(std::move(memory)));
    void* hole = mmap(nullptr, holeBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (hole == MAP_FAILED)
        return Error { fmt::format(
            "The host has no 4 GiB of addresses for what must lead nowhere ({}).", std::strerror(errno)) };
    flat->m_hole = reinterpret_cast<uintptr_t>(hole) + GuestMemory::pageSize;
    flat->m_pattern = fileOf(flat->m_hole, patternBytes);
    flat->m_common = fileOf(flat->m_hole, 2 * commonBytes);
    if (flat->m_pattern < 0 || flat->m_common < 0)
        return Error { fmt::format("The host gave no memory for flat tables ({}).", std::strerror(errno)) };
    return flat;
}

FlatMemory::~FlatMemory()
{
    if (m_hole)
        munmap(reinterpret_cast<void*>(m_hole - GuestMemory::pageSize), holeBytes);
    for (const int file : { m_pattern, m_common })
        if (file >= 0)
            close(file);
}

// -- which pages there are -------------------------------------------------------------------------------------------

FlatPages::Views FlatPages::views(uint32_t linear) const
{
    const auto& marks = m_marks[linear >> 22];
    return marks ? static_cast<Views>((*marks)[linear >> 12 & 0x3ff] & ~listed) : Views { 0 };
}

void FlatPages::add(uint32_t linear, Views views)
{
    if (!m_marks[linear >> 22])
        m_marks[linear >> 22] = std::make_unique<Marks>();
    Views& marks = markOf(linear);
    if (!(marks & listed))
        m_pages.push_back(linear);
    marks |= static_cast<Views>(views | listed);
}

void FlatPages::remove(uint32_t linear, Views views)
{
    if (m_marks[linear >> 22])
        markOf(linear) &= static_cast<Views>(~views);
}

void FlatPages::addRegion(uint32_t linear, PhysicalAddress physical, Views views)
{
    Region& region = m_regions[linear >> 22];
    if (!region.listed)
        m_listedRegions.push_back(linear >> 22);
    region = { linear >> 22, physical, static_cast<Views>(region.views | views), true };
}

void FlatPages::clear()
{
    for (const uint32_t linear : m_pages)
        markOf(linear) = 0;
    m_pages.clear();
    for (const uint32_t number : m_listedRegions)
        m_regions[number] = {};
    m_listedRegions.clear();
}

// -- the tables of one address space ---------------------------------------------------------------------------------

Result<std::unique_ptr<FlatTables>> FlatTables::create(FlatMemory& memory, const GuestMemory& guest)
{
    std::unique_ptr<FlatTables> tables(new FlatTables(memory, guest));
    if (auto mapped = tables->map(); !mapped)
        return mapped.error();
    return tables;
}

FlatTables::~FlatTables()
{
    if (m_entries)
        munmap(m_entries, viewCount * FlatMemory::viewBytes);
}

// The views of the supervisor come first; the ends of both are the common part.
Result<void> FlatTables::map()
{
    const auto refused = [] {
        return Error { fmt::format(
            "The host has no 32 MiB of addresses for a flat table ({}).", std::strerror(errno)) };
    };
    constexpr size_t bytes = viewCount * FlatMemory::viewBytes;
    void* reserved = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED)
        return refused();
    m_entries = static_cast<uint64_t*>(reserved);
    auto* base = static_cast<uint8_t*>(reserved);
    static_assert(FlatMemory::commonBytes == FlatMemory::patternBytes);
    for (size_t offset = 0; offset < bytes; offset += FlatMemory::patternBytes) {
        const size_t view = offset / FlatMemory::viewBytes;
        const bool common
            = view < 2 && offset % FlatMemory::viewBytes == FlatMemory::viewBytes - FlatMemory::commonBytes;
        const int sharing = common ? MAP_SHARED : MAP_PRIVATE;
        if (mmap(base + offset, FlatMemory::patternBytes, PROT_READ | PROT_WRITE, sharing | MAP_NORESERVE | MAP_FIXED,
                common ? m_memory.common() : m_memory.pattern(),
                common ? static_cast<off_t>(view * FlatMemory::commonBytes) : 0)
            == MAP_FAILED)
            return refused();
    }
    return {};
}

void FlatTables::put(unsigned view, uint32_t linear, uint64_t value)
{
    entry(view, linear) = value;
    if (view < 2 && linear >= FlatMemory::commonFrom)
        return;
    const size_t page = (view * FlatMemory::viewBytes + (linear >> 12) * sizeof value) / GuestMemory::pageSize;
    if (m_touched.test(page))
        return;
    m_touched.set(page);
    ++m_touchedPages;
}

// -- entering --------------------------------------------------------------------------------------------------------

void FlatTables::enter(const PageWalk& walk, const PageWalk::Control& control, uint32_t linear, bool user,
    const PageTranslation& translation, bool forWrite)
{
    linear &= pageMask;
    enterOne(linear, user, translation, forWrite ? Asked::ForWrite : Asked::ForRead);
    if (forWrite && m_memory.notesWrites())
        return; // every unit of the lockstep comparison asks for its stack's page
    const uint32_t first = linear & ~(neighbours * static_cast<uint32_t>(GuestMemory::pageSize) - 1);
    for (uint32_t n = 0; n < neighbours; ++n) {
        const uint32_t neighbour = first + n * static_cast<uint32_t>(GuestMemory::pageSize);
        if (neighbour == linear)
            continue;
        if (const auto found = walk.peek(control, neighbour, user))
            enterOne(neighbour, user, *found, Asked::Not);
    }
}

void FlatTables::enterOne(uint32_t linear, bool user, const PageTranslation& translation, Asked asked)
{
    GuardedMemory& memory = m_memory.memory();
    const PhysicalAddress physical = translation.physicalPage;
    if (asked == Asked::Not && !memory.isEnteredFree() && !memory.isEntered(physical))
        return;
    if (asked != Asked::Not && !memory.isEnteredFree() && holds(linear, user, false))
        memory.forget(physical);
    if (!memory.enter(physical))
        return;
    FlatPages& pages = pagesOf(linear, user, translation.global);
    constexpr PhysicalAddress inRegion = 0x3fffff;
    const PhysicalAddress regionsPage = physical & ~inRegion;
    const bool region = translation.large && m_memory.largePagesFillRegions()
        && (physical & inRegion) == (linear & inRegion); // not so behind a closed A20
    if (region && pages.regionOf(linear).views && pages.regionOf(linear).physical != regionsPage)
        forgetPage(linear);
    const unsigned readView = user ? 2 : 0;
    const uint64_t value = reinterpret_cast<uintptr_t>(memory.place(physical)) - linear;
    Views views = viewOf(user, false);
    put(readView, linear, value);
    if (translation.writable && !isSpecial(physical) && (asked == Asked::ForWrite || !m_memory.notesWrites())) {
        put(readView + 1, linear, value);
        views |= viewOf(user, true);
        if (m_memory.notesWrites())
            m_notedWrites.push_back(linear | (user ? 1 : 0));
    } else {
        put(readView + 1, linear, m_memory.hole()); // it may lead to the page that was there before
    }
    if (region)
        pages.addRegion(linear, regionsPage, views);
    else
        pages.add(linear, views);
}

// -- forgetting ------------------------------------------------------------------------------------------------------

void FlatTables::forgetViews(uint32_t linear, Views views)
{
    for (unsigned view = 0; view < viewCount; ++view)
        if (views & 1u << view)
            put(view, linear, m_memory.hole());
}

void FlatTables::forgetRegion(FlatPages::Region& region, Views views)
{
    for (unsigned view = 0; view < viewCount; ++view)
        if (views & 1u << view)
            for (uint32_t page = 0; page < 1024; ++page)
                put(view, region.number << 22 | page << 12, m_memory.hole());
    region.views &= static_cast<Views>(~views);
}

void FlatTables::forgetPage(uint32_t linear)
{
    linear &= pageMask;
    for (FlatPages* pages : allPages()) {
        const Views views = pages->views(linear);
        forgetViews(linear, views);
        pages->remove(linear, views);
        FlatPages::Region& region = pages->regionOf(linear);
        forgetRegion(region, region.views);
    }
}

void FlatTables::forgetRegionOf(uint32_t linear)
{
    constexpr uint32_t region = 0xffc00000;
    for (uint32_t page = 0; page < 1024; ++page)
        forgetPage((linear & region) | page << 12);
}

// The views keep their marks: the next look finds out what the page is then.
void FlatTables::forgetWrites(PhysicalAddress physicalPage)
{
    const auto place = reinterpret_cast<uintptr_t>(m_memory.memory().place(physicalPage));
    const auto forget = [&](uint32_t linear, Views views) {
        for (const unsigned view : { 1u, 3u })
            if ((views & 1u << view) && entry(view, linear) == place - linear)
                put(view, linear, m_memory.hole());
        return Views { 0 };
    };
    for (FlatPages* pages : allPages()) {
        pages->revise(forget);
        pages->reviseRegions([&](const FlatPages::Region& region) {
            if (physicalPage - region.physical < 1u << 22)
                forget(region.number << 22 | static_cast<uint32_t>(physicalPage - region.physical), region.views);
        });
    }
}

void FlatTables::takeWritesBack()
{
    for (const uint32_t noted : m_notedWrites)
        put(noted & 1 ? 3 : 1, noted & pageMask, m_memory.hole());
    m_notedWrites.clear();
}

void FlatTables::clear(FlatPages& pages)
{
    pages.revise([this](uint32_t linear, Views views) {
        forgetViews(linear, views);
        return views;
    });
    pages.reviseRegions([this](FlatPages::Region& region) { forgetRegion(region, region.views); });
    pages.clear();
}

void FlatTables::clear()
{
    clear(m_own);
}

void FlatTables::clearCommon()
{
    clear(m_common);
    clear(m_global);
}

void FlatTables::discard()
{
    m_own.clear();
    for (unsigned view = 0; view < viewCount; ++view)
        madvise(m_entries + view * FlatMemory::entryCount,
            FlatMemory::viewBytes - (view < 2 ? FlatMemory::commonBytes : 0), MADV_DONTNEED);
    m_touched.reset();
    m_touchedPages = 0;
}

// -- looking again ---------------------------------------------------------------------------------------------------

// A global page has one translation for all address spaces, until INVLPG or more ends it: the guest promises that.
// Intel SDM volume 3, 4.10.2.4.
void FlatTables::refresh(
    const PageWalk& walk, const PageWalk::Control& control, GlobalPages globals, bool specialPagesChanged)
{
    if (globals == GlobalPages::LookUp && m_global.size() + m_global.regions() != 0)
        clear(m_global); // it is rare, and what is global may be none any more
    for (FlatPages* pages : { &m_own, &m_common }) {
        const bool changed = specialPagesChanged && pages == &m_own; // the common part always counts, and was told
        refreshRegions(*pages, walk, control, changed);
        refreshPages(*pages, walk, control, changed);
    }
}

void FlatTables::refreshRegions(
    FlatPages& pages, const PageWalk& walk, const PageWalk::Control& control, bool specialPagesChanged)
{
    pages.reviseRegions([&](FlatPages::Region& region) {
        Views stale = 0;
        for (const bool user : { false, true }) {
            const auto mine = static_cast<Views>(region.views & (viewOf(user, false) | viewOf(user, true)));
            if (!mine)
                continue;
            const auto found = walk.peek(control, region.number << 22, user);
            if (!found || !found->large || !m_memory.largePagesFillRegions() || found->physicalPage != region.physical)
                stale |= mine;
            else if (!found->writable || specialPagesChanged)
                stale |= viewOf(user, true);
        }
        forgetRegion(region, static_cast<Views>(stale & region.views));
    });
}

void FlatTables::refreshPages(
    FlatPages& pages, const PageWalk& walk, const PageWalk::Control& control, bool specialPagesChanged)
{
    pages.revise([&](uint32_t linear, Views views) {
        const Views stale = staleViews(linear, views, walk, control, specialPagesChanged);
        forgetViews(linear, stale);
        return stale;
    });
}

FlatPages::Views FlatTables::staleViews(
    uint32_t linear, Views views, const PageWalk& walk, const PageWalk::Control& control, bool specialPagesChanged)
{
    Views stale = 0;
    for (const bool user : { false, true }) {
        const auto mine = static_cast<Views>(views & (viewOf(user, false) | viewOf(user, true)));
        if (!mine)
            continue;
        const auto found = walk.peek(control, linear, user);
        const unsigned readView = user ? 2 : 0;
        if (!found
            || entry(readView, linear)
                != reinterpret_cast<uintptr_t>(m_memory.memory().place(found->physicalPage)) - linear)
            stale |= mine;
        else if (!found->writable || (specialPagesChanged && isSpecial(found->physicalPage)))
            stale |= static_cast<Views>(mine & viewOf(user, true));
    }
    return stale;
}

} // namespace namsan
