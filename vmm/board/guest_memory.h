// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace namsan {

using PhysicalAddress = uint64_t;

// Told when memory that holds decoded or translated code was written by somebody else than the vCPU that runs it
// (a device's DMA, a loader, another vCPU). Called on the writing thread, perhaps under the board lock: it must not
// wait.
class CodeWatcher {
public:
    virtual ~CodeWatcher() = default;
    virtual void codeWritten(PhysicalAddress, uint64_t size) = 0;
};

// An engine whose writes by the guest are noted by somebody else, such as the kernel: asked before dirty pages are
// told.
class DirtySource {
public:
    virtual ~DirtySource() = default;
    // Sets GuestMemory::Dirty for the Tracked pages in that range that were written. Any thread, perhaps under the
    // board lock: it must not wait for a vCPU.
    virtual void collectDirty(PhysicalAddress base, uint64_t size) = 0;
};

// The memory of one VM: RAM from address 0 with the PC's hole for video memory (A0000-BFFFF), and further regions such
// as a linear frame buffer. All of it is one memfd, so that an engine can map it again, another way.
//
// Physical addresses go up to 4 GiB here. Pages are 4096 bytes. What an engine needs to know of each page is one byte
// of flags; every address that is not memory is the MMIO bus's.
class GuestMemory {
public:
    static constexpr uint64_t pageSize = 4096;
    static constexpr uint64_t addressSpace = uint64_t { 1 } << 32;
    static constexpr PhysicalAddress videoHole = 0xa0000; // to BFFFF
    static constexpr PhysicalAddress videoHoleEnd = 0xc0000;
    static constexpr uint64_t smallest = uint64_t { 1 } << 20;
    static constexpr uint64_t largest = uint64_t { 3 } << 30; // what leaves 1 GiB of addresses to devices

    enum PageFlag : uint8_t {
        Tracked = 1 << 0, // somebody wants to know of writes: noteWrite() sets Dirty
        Dirty = 1 << 1,
        Code = 1 << 2, // an engine keeps decoded instructions of this page
        ReadOnly = 1 << 3, // writes by the guest are swallowed, as ROM does
    };
    // A page with one of these is not written without noteWrite() (ReadOnly: not written at all).
    static constexpr uint8_t writesAreSpecial = Tracked | Code | ReadOnly;

    // ramSize in bytes, a multiple of the page size, from smallest to largest. Fails with a sentence where the host
    // has not that much address space or memory. RAM reads as zero.
    static Result<std::unique_ptr<GuestMemory>> create(uint64_t ramSize);
    ~GuestMemory();
    GuestMemory(const GuestMemory&) = delete;
    GuestMemory& operator=(const GuestMemory&) = delete;

    uint64_t ramSize() const { return m_ramSize; }
    int memfd() const { return m_memfd; } // for engines that map the memory themselves

    // One piece of the physical address space that is memory, in the memfd from fileOffset on.
    struct Region {
        PhysicalAddress base;
        uint64_t size;
        uint64_t fileOffset;
        uint8_t* host;
    };
    const std::vector<Region>& regions() const { return m_regions; }

    // Adds memory that belongs to a device (a frame buffer), all of whose pages are Tracked. Before vCPUs run.
    Result<Region> addTrackedRegion(PhysicalAddress base, uint64_t size);

    // Adds a ROM, all of whose pages are ReadOnly. Before vCPUs run.
    Result<Region> addReadOnlyRegion(PhysicalAddress base, uint64_t size);

    // The host address of the page that holds an address, or nullptr where there is no memory. Any thread.
    uint8_t* pageHost(PhysicalAddress address) const
    {
        return address < addressSpace ? m_hostOfPage[address / pageSize] : nullptr;
    }
    uint8_t* host(PhysicalAddress address) const
    {
        uint8_t* page = pageHost(address);
        return page ? page + address % pageSize : nullptr;
    }
    uint8_t flags(PhysicalAddress address) const
    {
        return m_flagsOfPage[address / pageSize].load(std::memory_order_relaxed);
    }
    void setFlag(PhysicalAddress address, PageFlag flag)
    {
        m_flagsOfPage[address / pageSize].fetch_or(flag, std::memory_order_relaxed);
    }
    void clearFlag(PhysicalAddress address, PageFlag flag)
    {
        m_flagsOfPage[address / pageSize].fetch_and(static_cast<uint8_t>(~flag), std::memory_order_relaxed);
    }

    // To be called after a write into a page that has one of writesAreSpecial: marks it dirty. Telling the watcher of
    // code is the business of write() below; an engine knows of its own writes.
    void noteWrite(PhysicalAddress address)
    {
        if (flags(address) & Tracked)
            setFlag(address, Dirty);
    }

    // Copies for devices and loaders: any range; what is not memory reads as all ones and swallows writes.
    // Writes mark pages dirty and tell the code watcher; ReadOnly does not stop them.
    void read(PhysicalAddress, std::span<uint8_t>) const;
    void write(PhysicalAddress, std::span<const uint8_t>);
    void fill(PhysicalAddress, uint64_t size, uint8_t value);

    // Calls back for each Tracked page in base..base+size that was written since the last harvest. A page written while
    // this runs may be reported now and again next time, but no write is ever missed.
    void harvestDirty(PhysicalAddress base, uint64_t size, const std::function<void(PhysicalAddress page)>&);

    void setCodeWatcher(CodeWatcher* watcher) { m_codeWatcher = watcher; }
    void setDirtySource(DirtySource*); // any thread; returns when the former one is not being asked any more

private:
    GuestMemory() = default;

    Result<Region> addRegion(PhysicalAddress base, uint64_t size, uint8_t flags, const char* what);
    void mapPages(const Region&, uint8_t flags);
    void written(PhysicalAddress address, uint64_t size);

    static constexpr size_t pageCount = addressSpace / pageSize;

    int m_memfd = -1;
    uint64_t m_ramSize = 0;
    uint64_t m_fileSize = 0;
    std::vector<Region> m_regions;
    std::vector<std::pair<uint8_t*, uint64_t>> m_mappings;
    std::unique_ptr<uint8_t*[]> m_hostOfPage;
    std::unique_ptr<std::atomic<uint8_t>[]> m_flagsOfPage;
    CodeWatcher* m_codeWatcher = nullptr;
    std::mutex m_dirtySourceMutex;
    DirtySource* m_dirtySource = nullptr;
};

} // namespace namsan
