// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/session/vm_session.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>

namespace namsan {

class CodeCache;

// Linear addresses: paging, its cache (a software TLB), and the way from there to RAM or to the MMIO bus.
//
// Of one vCPU; only its thread calls. Faults are thrown (fault.h) after CR2 was set. Accesses of 1, 2, 4, 8 bytes may
// be unaligned and cross pages; nothing of a crossing write is done unless all of it can be. Intel SDM volume 3,
// chapter 4.
class LinearMemory {
public:
    enum class Privilege : uint8_t { Supervisor, User };

    struct Control { // what paging depends on
        uint32_t cr0 = 0;
        uint32_t cr3 = 0;
        uint32_t cr4 = 0;
    };

    LinearMemory(GuestMemory&, GuestBus&, VcpuCounters&, uint32_t& cr2);

    // Applies new control registers; forgets what must be forgotten (SDM volume 3, 4.10.4.1). A write of CR3, even of
    // the same value, is reloadCr3().
    void setControl(const Control&);
    void reloadCr3(uint32_t cr3); // keeps global entries where CR4.PGE is set
    void invalidatePage(uint32_t linear); // INVLPG
    void flushAll();
    void setA20(bool open);

    // The privilege of ordinary accesses from now on: User when CPL is 3.
    void setPrivilege(Privilege);

    template <class T> T read(uint32_t linear)
    {
        const Entry& entry = m_current->entries[indexOf(linear)];
        if (entry.readTag == tagOf<T>(linear)) [[likely]] {
            T value;
            std::memcpy(&value, reinterpret_cast<const void*>(entry.addend + linear), sizeof value);
            return value;
        }
        return static_cast<T>(readSlow(linear, sizeof(T), *m_current));
    }

    template <class T> void write(uint32_t linear, T value)
    {
        const Entry& entry = m_current->entries[indexOf(linear)];
        if (entry.writeTag == tagOf<T>(linear)) [[likely]] {
            std::memcpy(reinterpret_cast<void*>(entry.addend + linear), &value, sizeof value);
            return;
        }
        writeSlow(linear, sizeof(T), static_cast<uint64_t>(value), *m_current);
    }

    // Descriptor tables, TSS and stack switches: accesses by the processor itself, supervisor whatever CPL is.
    template <class T> T readAsSupervisor(uint32_t linear);
    template <class T> void writeAsSupervisor(uint32_t linear, T value);

    // Faults exactly as a write of that many bytes (1 to 4096) would, and changes only accessed and dirty bits: for
    // instructions that read, compute and write, or that write several things, before anything changes.
    void probeWrite(uint32_t linear, unsigned size);
    void probeRead(uint32_t linear, unsigned size);

    // The host address for direct use of size bytes that lie in one page of plain RAM; nullptr where that is not so
    // (MMIO, tracked, code, page crossing): use read() and write() then. Valid until the next call of anything here.
    uint8_t* directRead(uint32_t linear, unsigned size);
    uint8_t* directWrite(uint32_t linear, unsigned size);

    // Where instructions are fetched: the physical address, with the privilege of now. Throws the page fault of a
    // fetch.
    PhysicalAddress translateFetch(uint32_t linear);

    // Counts up whenever a translation that translateFetch() gave may have become false.
    uint64_t fetchGeneration() const;

    // Stores into pages flagged GuestMemory::Code are reported there after they are done.
    void setCodeCache(CodeCache* codeCache) { m_codeCache = codeCache; }

    // Forgets that a physical page may be written without asking: it got a flag of GuestMemory::writesAreSpecial.
    void dropWriteEntries(PhysicalAddress page);

private:
    static constexpr size_t entryCount = 1024;
    static constexpr uint32_t pageMask = 0xfffff000;

    // A tag is the flush generation above the linear page; bits below the access size are kept, so that an access that
    // is not aligned never matches and takes the slow way, which sorts out page crossings.
    struct Entry {
        uint64_t readTag = ~uint64_t { 0 };
        uint64_t writeTag = ~uint64_t { 0 };
        uintptr_t addend = 0; // host address minus linear address
        uint64_t physicalPage = 0;
    };
    struct Table {
        std::array<Entry, entryCount> entries;
        bool user = false;
    };

    static size_t indexOf(uint32_t linear) { return linear / GuestMemory::pageSize % entryCount; }
    template <class T> uint64_t tagOf(uint32_t linear) const
    {
        return m_generationTag | (linear & (pageMask | (sizeof(T) - 1)));
    }

    uint64_t readSlow(uint32_t linear, unsigned size, Table&);
    void writeSlow(uint32_t linear, unsigned size, uint64_t value, Table&);

    GuestMemory& m_memory;
    GuestBus& m_bus;
    VcpuCounters& m_counters;
    uint32_t& m_cr2;
    CodeCache* m_codeCache = nullptr;
    Control m_control;
    uint64_t m_generationTag = 0;
    std::unique_ptr<std::array<Table, 2>> m_tables; // by Privilege
    Table* m_current;
};

} // namespace namsan
