// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/guest_memory.h"
#include "vmm/engine/paging/fetch_pages.h"
#include "vmm/engine/paging/host_access.h"
#include "vmm/engine/paging/page_walk.h"
#include "vmm/engine/paging/translation_sets.h"
#include "vmm/engine/paging/translation_table.h"
#include "vmm/session/vm_session.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace namsan {

class CodeCache;
class FlatMemory;
class FlatTables;
class ProcessorGroup;
struct Fault;

// Linear addresses: paging, its cache (a software TLB), and the way from there to RAM or to the MMIO bus.
//
// Of one vCPU; only its thread calls. Faults are thrown (fault.h) after CR2 was set. Accesses of 1, 2, 4, 8 bytes may
// be unaligned and cross pages; nothing of a crossing write is done unless all of it can be. Intel SDM volume 3,
// chapter 4.
//
// What is cached is kept for each address space that ran lately. Where the processor must forget, everything that is
// cached is looked up in the page tables again instead, and stays where a walk would find the same without having to
// set an accessed or dirty bit: to the guest that is the same, and it costs a few nanoseconds for each page instead of
// a miss.
class LinearMemory {
public:
    enum class Privilege : uint8_t { Supervisor, User };

    using Control = PageWalk::Control; // what paging depends on

    LinearMemory(GuestMemory&, GuestBus&, VcpuCounters&, uint32_t& cr2);
    ~LinearMemory();
    LinearMemory(const LinearMemory&) = delete;
    LinearMemory& operator=(const LinearMemory&) = delete;

    void setModel(const PageWalk::Model& model) { m_walk.setModel(model); }

    // Applies new control registers; forgets what must be forgotten (SDM volume 3, 4.10.4.1). A write of CR3, even of
    // the same value, is reloadCr3().
    void setControl(const Control&);
    // Keeps global entries where CR4.PGE is set. The pointers matter with PAE only.
    void reloadCr3(uint32_t cr3, const PageDirectoryPointers& = {});
    std::optional<PageDirectoryPointers> readPageDirectoryPointers(uint32_t cr3) const
    {
        return m_walk.readPageDirectoryPointers(cr3);
    }
    void invalidatePage(uint32_t linear); // INVLPG
    void flushAll();
    void setA20(bool open);

    // The privilege of ordinary accesses from now on: User when CPL is 3.
    void setPrivilege(Privilege privilege)
    {
        m_privilege = privilege;
        m_current = &tableOf(privilege);
        noteFetchGeneration();
    }

    // Whether user accesses that are not aligned to their size raise #AC (SDM volume 3, 6.15, interrupt 17). Fast
    // entries never match those, so the slow way sees each of them.
    void setAlignmentCheck(bool on);
    bool checksAlignment() const { return m_checksAlignment; }
    // While there is something of that kind to be seen, each access must come here.
    bool looksCloser() const { return m_looksCloser; }
    // For structures that must be aligned as a whole: #AC where alignment is checked, and wrong here.
    void requireAlignment(uint32_t linear, unsigned alignment) const;

    // Data breakpoints: accesses to any of these bytes are noted. Pages that hold some have no fast entries.
    struct Watch {
        uint32_t linear = 0;
        unsigned size = 0; // bytes; 0: none
        bool reads = false; // reads count as well as writes
    };
    static constexpr size_t watchCount = 4;
    void setWatches(const std::array<Watch, watchCount>&);
    // Bit n: watch n was hit since the last call.
    uint32_t takeWatchHits() { return std::exchange(m_watchHits, 0); }

    // In a machine with several processors: what locked accesses need of the others, and this one's number there.
    void setGroup(ProcessorGroup* group, unsigned index);

    template <class T> T read(uint32_t linear) { return readThrough<T>(*m_current, linear); }
    template <class T> void write(uint32_t linear, T value) { writeThrough<T>(*m_current, linear, value); }

    // The read of an instruction that reads, computes and writes back: faults as the write would.
    template <class T> T readForWrite(uint32_t linear)
    {
        const Entry& entry = m_current->entries[indexOf(linear)];
        if (entry.writeTag == tagOf<T>(linear)) [[likely]] {
            return host_access::load<T>(entry.addend + linear);
        }
        probeWrite(linear, sizeof(T));
        return read<T>(linear);
    }

    // Replaces what is there by change(it), for instructions with LOCK: as if no other processor were there meanwhile.
    // change may be called several times. Faults as a write does, before the first call. Intel SDM volume 3, 9.1.2.
    template <class T, class Change> void modifyLocked(uint32_t linear, Change&& change)
    {
        const Entry& entry = m_current->entries[indexOf(linear)];
        if (entry.writeTag == tagOf<T>(linear)) [[likely]] {
            void* host = reinterpret_cast<void*>(entry.addend + linear);
            T old = host_access::load<T>(entry.addend + linear);
            while (!host_access::compareExchange<T>(host, old, change(old))) { }
            return;
        }
        modifyLockedSlow(
            linear, sizeof(T), [&change](uint64_t old) -> uint64_t { return change(static_cast<T>(old)); });
    }

    // Descriptor tables, TSS and stack switches: accesses by the processor itself, supervisor whatever CPL is.
    template <class T> T readAsSupervisor(uint32_t linear) { return readAs<T>(Privilege::Supervisor, linear); }
    template <class T> void writeAsSupervisor(uint32_t linear, T value)
    {
        writeAs<T>(Privilege::Supervisor, linear, value);
    }
    template <class T> T readAs(Privilege privilege, uint32_t linear)
    {
        return readThrough<T>(tableOf(privilege), linear);
    }
    template <class T> void writeAs(Privilege privilege, uint32_t linear, T value)
    {
        writeThrough<T>(tableOf(privilege), linear, value);
    }

    // Faults exactly as a write of that many bytes (1 to 4096) would, and changes only accessed and dirty bits: for
    // instructions that read, compute and write, or that write several things, before anything changes.
    void probeWrite(uint32_t linear, unsigned size)
    {
        const Entry& entry = m_current->entries[indexOf(linear)];
        if (entry.writeTag != (linear & pageMask) || (linear & ~pageMask) + size > GuestMemory::pageSize)
            probeSlow(linear, size, true, *m_current);
    }
    // The same for accesses of at most a page: gives the fault, with CR2 set, instead of throwing it.
    std::optional<Fault> tryProbe(uint32_t linear, unsigned size, bool write);
    void probeWriteAsSupervisor(uint32_t linear, unsigned size)
    {
        probeSlow(linear, size, true, tableOf(Privilege::Supervisor));
    }
    void probeReadAsSupervisor(uint32_t linear, unsigned size)
    {
        probeSlow(linear, size, false, tableOf(Privilege::Supervisor));
    }
    void probeRead(uint32_t linear, unsigned size)
    {
        const Entry& entry = m_current->entries[indexOf(linear)];
        if (entry.readTag != (linear & pageMask) || (linear & ~pageMask) + size > GuestMemory::pageSize)
            probeSlow(linear, size, false, *m_current);
    }

    // The host address for direct use of size bytes (1 to 4096) that lie in one page of plain RAM; nullptr where that
    // is not so (MMIO, tracked, code, page crossing), and where the access would fault: use read() and write() then.
    // Never throws. Valid until the next call of anything here.
    uint8_t* directRead(uint32_t linear, unsigned size);
    uint8_t* directWrite(uint32_t linear, unsigned size);

    // Where instructions are fetched: the physical address, with the privilege of now. Throws the page fault of a
    // fetch.
    PhysicalAddress translateFetch(uint32_t linear);

    // Where a read or a write goes, with the privilege of now. Throws the page fault that it would end in.
    PhysicalAddress translateRead(uint32_t linear);
    PhysicalAddress translateWrite(uint32_t linear);

    // For translated code, which looks into the table of ordinary accesses itself: entry (linear >> 12) % entryCount
    // holds two 32-bit tags, the linear page where the host's memory may be read, or written, directly, and 64 bits to
    // add to the linear address. The tag of an empty entry is no page.
    struct FastLayout {
        static constexpr size_t entryCount = TranslationTable::entryCount;
        static constexpr size_t entryBytes = 16;
        static constexpr size_t readTagOffset = 0;
        static constexpr size_t writeTagOffset = 4;
        static constexpr size_t addendOffset = 8;
    };
    const void* fastEntries() const { return m_current->entries.data(); }

    bool isMemory(PhysicalAddress physical) const { return m_memory.pageHost(physical) != nullptr; }
    // The same for the flat form (flat_tables.h), from startFlat() on. tableBytes: the most that all tables together
    // may take, beyond one address space's.
    static constexpr size_t flatTableBytes = size_t { 96 } << 20;
    Result<void> startFlat(size_t tableBytes = flatTableBytes);
    const uint64_t* flatViews() const;
    FlatTables& flatTables() { return *m_set->flat; }
    // After an access there that could not go by itself: lets the next one, where it may.
    void enterFlat(uint32_t linear, bool write);
    // Before an access there that is likely: the same, where a walk would set no bits.
    void enterFlatEarly(uint32_t linear);
    uint64_t flatHole() const;
    bool flatPagesStay() const; // false where the host may take pages away by itself
    size_t flatBytes() const;
    void noteFlatWrites(); // for the lockstep comparison

    // Another number whenever a translation that translateFetch() gave may have become false. Bit 0 tells the
    // privilege (1: user). The number of an address space comes back with it where its translations still hold.
    uint64_t fetchGeneration() const { return m_fetchGeneration; }

    // Stores into pages flagged GuestMemory::Code are reported there after they are done.
    void setCodeCache(CodeCache*);

    // Forgets that a physical page may be written without asking: it got a flag of GuestMemory::writesAreSpecial.
    void dropWriteEntries(PhysicalAddress page);
    void dropWriteEntries(); // of all pages

private:
    using Table = TranslationTable;
    using Entry = TranslationTable::Entry;
    using Cached = TranslationTable::Cached;
    static constexpr uint32_t pageMask = TranslationTable::pageMask;
    static constexpr uint32_t noTag = TranslationTable::noTag;

    static size_t indexOf(uint32_t linear) { return TranslationTable::indexOf(linear); }
    template <class T> static uint32_t tagOf(uint32_t linear) { return linear & (pageMask | (sizeof(T) - 1)); }
    Table& tableOf(Privilege privilege) { return m_set->tables[static_cast<size_t>(privilege)]; }

    template <class T> T readThrough(Table& table, uint32_t linear)
    {
        const Entry& entry = table.entries[indexOf(linear)];
        if (entry.readTag == tagOf<T>(linear)) [[likely]] {
            return host_access::load<T>(entry.addend + linear);
        }
        return static_cast<T>(readSlow(linear, sizeof(T), table));
    }
    template <class T> void writeThrough(Table& table, uint32_t linear, T value)
    {
        const Entry& entry = table.entries[indexOf(linear)];
        if (entry.writeTag == tagOf<T>(linear)) [[likely]] {
            host_access::store<T>(entry.addend + linear, value);
            return;
        }
        writeSlow(linear, sizeof(T), static_cast<uint64_t>(value), table);
    }

    uint64_t readSlow(uint32_t linear, unsigned size, Table&);
    void writeSlow(uint32_t linear, unsigned size, uint64_t value, Table&);
    void modifyLockedSlow(uint32_t linear, unsigned size, const std::function<uint64_t(uint64_t)>& change);
    void modifyInOneLine(PhysicalAddress, unsigned size, const std::function<uint64_t(uint64_t)>& change);
    void probeSlow(uint32_t linear, unsigned size, bool write, Table&);
    uint8_t* direct(uint32_t linear, unsigned size, bool write);

    enum class Kind : uint8_t { Read, Write, Fetch };
    static Kind kindOf(bool write) { return write ? Kind::Write : Kind::Read; }
    PhysicalAddress translate(uint32_t linear, Kind, Table&);
    std::optional<Fault> translateOrFault(uint32_t linear, Kind, Table&, PhysicalAddress&);
    std::optional<uint32_t> tryTranslate(uint32_t linear, Kind, Table&, PhysicalAddress&);
    static bool serves(const Cached&, uint32_t linear, Kind);

    // What stands between an access that is possible and its being done. Each access of the slow way comes by.
    void lookCloser(uint32_t linear, unsigned size, bool write, const Table& table)
    {
        if (m_looksCloser) [[unlikely]]
            checkAndNote(linear, size, write, table);
    }
    void checkAndNote(uint32_t linear, unsigned size, bool write, const Table&);
    bool isWatched(uint32_t page) const;
    void fill(Table&, uint32_t linear, const PageTranslation&);
    void allowFastWrites(Table&, uint32_t linear);
    void forgetLargePage(Table&, uint32_t linear);
    void forgetFetches(FetchPages&, uint32_t linear);
    void forgetPage(TranslationSet&, uint32_t linear);
    void noteFetchGeneration();

    void refresh(GlobalPages);
    void refreshTable(Table&, GlobalPages, bool specialPagesChanged);
    void enterAddressSpace();
    void catchUpWithInvalidations();
    void refreshFetches(FetchPages&, GlobalPages);
    void copyGlobals(TranslationSet& from);
    void provideFlat(TranslationSet&);
    TranslationSet* leastRecentlyUsedFlat(size_t leastBytes);
    void noteFlatGrowth(size_t before);
    void keepFlatWithinBudget();

    uint64_t readPhysical(PhysicalAddress, unsigned size);
    void writePhysical(PhysicalAddress, unsigned size, uint64_t value);
    void noteWritten(PhysicalAddress, unsigned size);

    GuestMemory& m_memory;
    GuestBus& m_bus;
    VcpuCounters& m_counters;
    uint32_t& m_cr2;
    CodeCache* m_codeCache = nullptr;
    ProcessorGroup* m_group = nullptr; // empty: there is one processor
    unsigned m_groupIndex = 0;
    PageWalk m_walk;
    Control m_control;
    uint64_t m_addressMask = ~uint64_t { 0 }; // A20
    bool m_checksAlignment = false;
    bool m_looksCloser = false; // alignment is checked, or something is watched
    std::array<Watch, watchCount> m_watches {};
    uint32_t m_watchHits = 0;
    uint64_t m_lastGeneration = 0; // of all fetches
    uint64_t m_fetchGeneration = 0; // of those with the privilege of now
    uint64_t m_specialEpoch = 0; // advances when plain pages become special
    // INVLPG forgets in every address space: the others do it when they next count, where they have not missed too
    // many.
    std::array<uint32_t, 32> m_invalidated {}; // the addresses of the last ones
    uint64_t m_invalidations = 0;
    FetchPages m_supervisorFetches { false }; // of all address spaces: they share the system's code
    std::unique_ptr<FlatMemory> m_flatMemory; // where there are flat tables
    size_t m_flatBudget = 0;
    bool m_fillsFlat = false;
    TranslationSets m_sets;
    TranslationSet* m_set; // of the address space that CR3 names
    Privilege m_privilege = Privilege::Supervisor;
    Table* m_current; // the set's of that privilege
};

} // namespace namsan
