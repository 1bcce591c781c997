// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/guest_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace namsan {

Result<std::unique_ptr<GuestMemory>> GuestMemory::create(uint64_t ramSize)
{
    if (ramSize < smallest || ramSize > largest || ramSize % pageSize)
        return Error { fmt::format(
            "A machine's memory is 1 MiB to 3072 MiB in whole pages, and {} bytes were asked for. "
            "Choose a size in that range, for instance 256M.",
            ramSize) };

    std::unique_ptr<GuestMemory> memory(new GuestMemory);
    memory->m_ramSize = ramSize;
    memory->m_fileSize = ramSize;
    memory->m_memfd = memfd_create("namsan guest memory", MFD_CLOEXEC);
    if (memory->m_memfd < 0 || ftruncate(memory->m_memfd, static_cast<off_t>(ramSize)) != 0)
        return Error { fmt::format("The host gave no {} MiB for the guest's memory ({}). Choose less memory or close "
                                   "other programs.",
            ramSize >> 20, std::strerror(errno)) };

    void* ram = mmap(nullptr, ramSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory->m_memfd, 0);
    if (ram == MAP_FAILED)
        return Error { fmt::format(
            "The host has no {} MiB of addresses for the guest's memory ({}). Choose less memory.", ramSize >> 20,
            std::strerror(errno)) };
    memory->m_mappings.emplace_back(static_cast<uint8_t*>(ram), ramSize);

    // Both tables are touched only where there is memory, so most of their pages never exist.
    memory->m_hostOfPage = std::make_unique<uint8_t*[]>(pageCount);
    memory->m_flagsOfPage = std::make_unique<std::atomic<uint8_t>[]>(pageCount);

    auto* host = static_cast<uint8_t*>(ram);
    memory->mapPages({ 0, std::min<uint64_t>(ramSize, videoHole), 0, host }, 0);
    if (ramSize > videoHoleEnd)
        memory->mapPages({ videoHoleEnd, ramSize - videoHoleEnd, videoHoleEnd, host + videoHoleEnd }, 0);
    return memory;
}

GuestMemory::~GuestMemory()
{
    for (const auto& [host, size] : m_mappings)
        munmap(host, size);
    if (m_memfd >= 0)
        close(m_memfd);
}

Result<GuestMemory::Region> GuestMemory::addTrackedRegion(PhysicalAddress base, uint64_t size)
{
    return addRegion(base, size, Tracked, "video memory");
}

Result<GuestMemory::Region> GuestMemory::addReadOnlyRegion(PhysicalAddress base, uint64_t size)
{
    return addRegion(base, size, ReadOnly, "ROM");
}

Result<GuestMemory::Region> GuestMemory::addRegion(PhysicalAddress base, uint64_t size, uint8_t flags, const char* what)
{
    assert(base % pageSize == 0 && size % pageSize == 0 && base + size <= addressSpace);
    const uint64_t fileOffset = m_fileSize;
    if (ftruncate(m_memfd, static_cast<off_t>(fileOffset + size)) != 0)
        return Error { fmt::format(
            "The host gave no {} KiB of {} ({}). Close other programs.", size >> 10, what, std::strerror(errno)) };
    void* host = mmap(
        nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, m_memfd, static_cast<off_t>(fileOffset));
    if (host == MAP_FAILED)
        return Error { fmt::format(
            "The host has no {} KiB of addresses for {} ({}).", size >> 10, what, std::strerror(errno)) };
    m_fileSize += size;
    m_mappings.emplace_back(static_cast<uint8_t*>(host), size);
    const Region region { base, size, fileOffset, static_cast<uint8_t*>(host) };
    mapPages(region, flags);
    return region;
}

void GuestMemory::mapPages(const Region& region, uint8_t flags)
{
    for (uint64_t offset = 0; offset < region.size; offset += pageSize) {
        const size_t page = (region.base + offset) / pageSize;
        assert(!m_hostOfPage[page] && "two regions hold one page");
        m_hostOfPage[page] = region.host + offset;
        m_flagsOfPage[page].store(flags, std::memory_order_relaxed);
    }
    m_regions.push_back(region);
}

void GuestMemory::read(PhysicalAddress address, std::span<uint8_t> bytes) const
{
    while (!bytes.empty()) {
        const size_t count = std::min<size_t>(bytes.size(), pageSize - address % pageSize);
        if (const uint8_t* from = host(address))
            std::memcpy(bytes.data(), from, count);
        else
            std::memset(bytes.data(), 0xff, count);
        bytes = bytes.subspan(count);
        address += count;
    }
}

void GuestMemory::write(PhysicalAddress address, std::span<const uint8_t> bytes)
{
    while (!bytes.empty()) {
        const size_t count = std::min<size_t>(bytes.size(), pageSize - address % pageSize);
        if (uint8_t* to = host(address)) {
            std::memcpy(to, bytes.data(), count);
            written(address, count);
        }
        bytes = bytes.subspan(count);
        address += count;
    }
}

void GuestMemory::fill(PhysicalAddress address, uint64_t size, uint8_t value)
{
    while (size > 0) {
        const uint64_t count = std::min<uint64_t>(size, pageSize - address % pageSize);
        if (uint8_t* to = host(address)) {
            std::memset(to, value, count);
            written(address, count);
        }
        size -= count;
        address += count;
    }
}

void GuestMemory::setDirtySource(DirtySource* source)
{
    const std::lock_guard guard(m_dirtySourceMutex);
    m_dirtySource = source;
}

void GuestMemory::written(PhysicalAddress address, uint64_t size)
{
    noteWrite(address);
    if ((flags(address) & Code) && m_codeWatcher)
        m_codeWatcher->codeWritten(address, size);
}

void GuestMemory::harvestDirty(
    PhysicalAddress base, uint64_t size, const std::function<void(PhysicalAddress page)>& onDirty)
{
    const PhysicalAddress end
        = std::min(base, addressSpace) + std::min(size, addressSpace - std::min(base, addressSpace));
    {
        const std::lock_guard guard(m_dirtySourceMutex);
        if (m_dirtySource)
            m_dirtySource->collectDirty(base, size);
    }
    for (PhysicalAddress page = base - base % pageSize; page < end; page += pageSize) {
        auto& flags = m_flagsOfPage[page / pageSize];
        if (!(flags.load(std::memory_order_relaxed) & Dirty))
            continue;
        // Cleared before the page is looked at: a later write sets it again.
        flags.fetch_and(static_cast<uint8_t>(~Dirty), std::memory_order_acq_rel);
        onDirty(page);
    }
}

} // namespace namsan
