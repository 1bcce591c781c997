// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/engine/paging/guarded_memory.h"
#include "vmm/engine/paging/page_walk.h"

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <vector>

namespace namsan {

// Which pages one or several tables hold entries of, so that they can be looked at again.
class FlatPages {
public:
    FlatPages()
        : m_marks(regionCount)
        , m_regions(regionCount)
    {
    }

    using Views = uint8_t; // one bit for each

    // A large page's region of 4 MiB: its entries hold as long as the page directory's entry does.
    struct Region {
        uint32_t number = 0;
        PhysicalAddress physical = 0;
        Views views = 0;
        bool listed = false;
    };

    Views views(uint32_t linear) const;
    void add(uint32_t linear, Views);
    void remove(uint32_t linear, Views);
    void addRegion(uint32_t linear, PhysicalAddress physical, Views);

    // Calls back with each page, and takes away the views that the callback returns. Pages without any leave the list.
    template <class Callback> void revise(Callback&& callback)
    {
        std::erase_if(m_pages, [&](uint32_t linear) {
            Views& marks = markOf(linear);
            if (marks & ~listed)
                marks &= static_cast<Views>(~callback(linear, static_cast<Views>(marks & ~listed)));
            if (marks & ~listed)
                return false;
            marks = 0;
            return true;
        });
    }
    // The same for regions, of which the callback takes the views away itself.
    template <class Callback> void reviseRegions(Callback&& callback)
    {
        std::erase_if(m_listedRegions, [&](uint32_t number) {
            Region& region = m_regions[number];
            if (region.views)
                callback(region);
            return !(region.listed = region.views != 0);
        });
    }
    Region& regionOf(uint32_t linear) { return m_regions[linear >> 22]; }
    size_t size() const { return m_pages.size(); }
    size_t regions() const { return m_listedRegions.size(); }
    void clear();

private:
    static constexpr size_t regionCount = 1024;
    static constexpr Views listed = 0x80;
    using Marks = std::array<Views, 1024>;

    Views& markOf(uint32_t linear) { return (*m_marks[linear >> 22])[linear >> 12 & 0x3ff]; }

    std::vector<uint32_t> m_pages; // linear addresses
    std::vector<std::unique_ptr<Marks>> m_marks; // by 4 MiB
    std::vector<Region> m_regions; // by number
    std::vector<uint32_t> m_listedRegions;
};

// What all flat tables of a vCPU share: the memory that they lead to, the hole, and the tables' own common part.
class FlatMemory {
public:
    static constexpr size_t entryCount = size_t { 1 } << 20; // of a view: one for each page of 4 GiB
    static constexpr size_t viewBytes = entryCount * sizeof(uint64_t);
    // What a system keeps for itself in all its address spaces alike. Where a guest does it otherwise, this costs time
    // and nothing else.
    static constexpr uint32_t commonFrom = 0xc0000000;
    static constexpr size_t commonBytes = viewBytes - (commonFrom >> 12) * sizeof(uint64_t); // of a view

    static Result<std::unique_ptr<FlatMemory>> create(std::unique_ptr<GuardedMemory>);
    ~FlatMemory();
    FlatMemory(const FlatMemory&) = delete;
    FlatMemory& operator=(const FlatMemory&) = delete;

    GuardedMemory& memory() { return *m_memory; }
    const GuardedMemory& memory() const { return *m_memory; }

    // Added to any linear address it gives a place where nothing is, nor in the pages before and behind.
    uint64_t hole() const { return m_hole; }

    // A file of patternBytes full of hole(), and one of the common parts of the supervisor's two views, likewise.
    static constexpr size_t patternBytes = size_t { 2 } << 20;
    int pattern() const { return m_pattern; }
    int common() const { return m_common; }

    FlatPages& commonPages() { return m_commonPages; }
    // Of the common part, too: those whose translations loads of CR3 leave alone.
    FlatPages& globalPages() { return m_globalPages; }

    // Large pages have 4 MiB, not the 2 MiB of PAE: then they are kept as regions.
    void largePagesFillRegions(bool fill) { m_regions = fill; }
    bool largePagesFillRegions() const { return m_regions; }

    // For the lockstep comparison: tables note entries for writes, and enter none that were not asked for.
    void noteWrites() { m_notesWrites = true; }
    bool notesWrites() const { return m_notesWrites; }

private:
    explicit FlatMemory(std::unique_ptr<GuardedMemory> memory)
        : m_memory(std::move(memory))
    {
    }

    // A page more on either side: an operand may end there, and what was kept may be a page away.
    static constexpr uint64_t holeBytes = (uint64_t { 1 } << 32) + 3 * GuestMemory::pageSize;

    std::unique_ptr<GuardedMemory> m_memory;
    uint64_t m_hole = 0;
    int m_pattern = -1;
    int m_common = -1;
    FlatPages m_commonPages;
    FlatPages m_globalPages;
    bool m_notesWrites = false;
    bool m_regions = true;
};

// The tables of one address space, from which translated code takes, for any linear address and without asking, what
// to add to come to the host's memory. Where it may not go by itself (no mapping, no right, a clear accessed or dirty
// bit, no plain RAM) what it adds leads into a hole in the host's address space.
//
// Four views: user and supervisor, each for reads and for writes. They are large and touched sparsely: their pages are
// a file's until an entry is written.
class FlatTables {
public:
    static Result<std::unique_ptr<FlatTables>> create(FlatMemory&, const GuestMemory&);
    ~FlatTables();
    FlatTables(const FlatTables&) = delete;
    FlatTables& operator=(const FlatTables&) = delete;

    // For translated code: the view of reads, entries of 8 bytes by linear page; the view of writes lies
    // FlatMemory::viewBytes behind.
    const uint64_t* views(bool user) const { return m_entries + (user ? 2 * FlatMemory::entryCount : 0); }

    // The translation was found for an access with that privilege, so its accessed bit is set, and its dirty bit if it
    // is writable. Enters neighbours too whose bits are set.
    void enter(
        const PageWalk&, const PageWalk::Control&, uint32_t linear, bool user, const PageTranslation&, bool forWrite);

    // The same for that page alone.
    void enterPage(uint32_t linear, bool user, const PageTranslation& translation)
    {
        enterOne(linear & pageMask, user, translation, Asked::Not);
    }

    // Whether an access would not end in the hole.
    bool holds(uint32_t linear, bool user, bool write) const
    {
        return views(user)[(write ? FlatMemory::entryCount : 0) + (linear >> 12)] != m_memory.hole();
    }

    void forgetPage(uint32_t linear);
    void forgetRegionOf(uint32_t linear); // the 4 MiB around it, which may hold large pages
    void forgetWrites(PhysicalAddress page);
    // Looks everything up again, or everything but global pages. specialPagesChanged: a plain page may have become
    // special meanwhile.
    void refresh(const PageWalk&, const PageWalk::Control&, GlobalPages, bool specialPagesChanged);
    void clear(); // the part that is not common
    void clearCommon();
    void discard(); // the same, and gives the memory back

    size_t bytes() const { return m_touchedPages * GuestMemory::pageSize; } // without the common part
    size_t pages() const { return m_own.size() + m_common.size() + m_global.size(); }

    // For the lockstep comparison: forgets all entries for writes, where the memory says that they are noted.
    void takeWritesBack();

private:
    using Views = FlatPages::Views;
    static constexpr unsigned viewCount = 4;
    static constexpr uint32_t pageMask = 0xfffff000;
    static constexpr uint32_t neighbours = 32; // pages that are looked at together, aligned

    FlatTables(FlatMemory& memory, const GuestMemory& guest)
        : m_memory(memory)
        , m_guest(guest)
        , m_common(memory.commonPages())
        , m_global(memory.globalPages())
    {
    }

    enum class Asked { Not, ForRead, ForWrite };

    Result<void> map();
    static Views viewOf(bool user, bool write) { return static_cast<Views>(1u << ((user ? 2 : 0) + (write ? 1 : 0))); }
    FlatPages& pagesOf(uint32_t linear, bool user, bool global)
    {
        if (user || linear < FlatMemory::commonFrom)
            return m_own;
        return global ? m_global : m_common;
    }
    std::array<FlatPages*, 3> allPages() { return { &m_own, &m_common, &m_global }; }
    uint64_t& entry(unsigned view, uint32_t linear)
    {
        return m_entries[view * FlatMemory::entryCount + (linear >> 12)];
    }
    void put(unsigned view, uint32_t linear, uint64_t value);
    void forgetViews(uint32_t linear, Views);
    void forgetRegion(FlatPages::Region&, Views);
    void clear(FlatPages&);
    void enterOne(uint32_t linear, bool user, const PageTranslation&, Asked);
    void refreshPages(FlatPages&, const PageWalk&, const PageWalk::Control&, bool specialPagesChanged);
    void refreshRegions(FlatPages&, const PageWalk&, const PageWalk::Control&, bool specialPagesChanged);
    Views staleViews(uint32_t linear, Views, const PageWalk&, const PageWalk::Control&, bool specialPagesChanged);
    bool isSpecial(PhysicalAddress physicalPage) const
    {
        return m_guest.flags(physicalPage) & GuestMemory::writesAreSpecial;
    }

    FlatMemory& m_memory;
    const GuestMemory& m_guest;
    FlatPages& m_common;
    FlatPages& m_global;
    FlatPages m_own;
    uint64_t* m_entries = nullptr;
    std::bitset<viewCount * FlatMemory::viewBytes / GuestMemory::pageSize> m_touched; // pages of the tables themselves
    size_t m_touchedPages = 0;
    std::vector<uint32_t> m_notedWrites; // linear pages, bit 0: user
};

} // namespace namsan
