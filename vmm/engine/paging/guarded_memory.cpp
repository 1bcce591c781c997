// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/guarded_memory.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace namsan {

namespace {

constexpr int madviseGuardInstall = 102; // not in the headers of older systems

} // namespace

GuardedMemory::GuardedMemory(const GuestMemory& memory, Means means)
    : m_memory(memory)
    , m_means(means)
    , m_entered(GuestMemory::addressSpace / GuestMemory::pageSize)
    , m_guarded(GuestMemory::addressSpace / GuestMemory::pageSize)
{
}

Result<std::unique_ptr<GuardedMemory>> GuardedMemory::create(const GuestMemory& memory)
{
    auto guarded = create(memory, Means::GuardPages);
    return guarded ? std::move(guarded) : create(memory, Means::UserFault);
}

Result<std::unique_ptr<GuardedMemory>> GuardedMemory::create(const GuestMemory& memory, Means means)
{
    std::unique_ptr<GuardedMemory> guarded(new GuardedMemory(memory, means));
    if (auto reserved = guarded->reserve(); !reserved)
        return reserved.error();
    if (auto tried = guarded->tryMeans(); !tried)
        return tried.error();
    return guarded;
}

GuardedMemory::~GuardedMemory()
{
    for (uint8_t* view : m_views)
        if (view)
            munmap(view - GuestMemory::pageSize, viewSize);
    if (m_userFault >= 0)
        close(m_userFault);
}

Result<void> GuardedMemory::reserve()
{
    for (uint8_t*& view : m_views) {
        void* reserved = mmap(nullptr, viewSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (reserved == MAP_FAILED)
            return Error { fmt::format(
                "The host has no 8 GiB of addresses to map the guest's memory again ({}).", std::strerror(errno)) };
        view = static_cast<uint8_t*>(reserved) + GuestMemory::pageSize;
    }
    if (m_means == Means::GuardPages)
        return {};
    // In user mode only, which needs no privilege; and as SIGBUS, so that no thread has to answer.
    m_userFault = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
    uffdio_api api { UFFD_API, UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_MISSING_SHMEM, 0 };
    if (m_userFault < 0 || ioctl(m_userFault, UFFDIO_API, &api) != 0)
        return Error { fmt::format(
            "This host keeps pages of shared memory out neither by guard pages (Linux 6.15) nor by userfaultfd's minor "
            "faults (Linux 5.14; {}).",
            std::strerror(errno)) };
    return {};
}

// On the first page of memory, which every PC has.
Result<void> GuardedMemory::tryMeans()
{
    if (mapNewRegions() && enter(0))
        return {};
    return Error { m_means == Means::GuardPages
            ? "This host has no guard pages in shared memory (Linux 6.15 has)."
            : fmt::format("This host's userfaultfd does not serve for shared memory ({}).", std::strerror(errno)) };
}

bool GuardedMemory::mapNewRegions()
{
    for (; m_mappedRegions < m_memory.regions().size(); ++m_mappedRegions) {
        const GuestMemory::Region& region = m_memory.regions()[m_mappedRegions];
        for (uint8_t* view : m_views) {
            uint8_t* place = view + region.base;
            if (mmap(place, region.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED,
                    m_memory.memfd(), static_cast<off_t>(region.fileOffset))
                == MAP_FAILED)
                return false;
            if (m_means == Means::GuardPages)
                continue; // guards that were there before: below
            uffdio_register range { { reinterpret_cast<uintptr_t>(place), region.size },
                UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR, 0 };
            if (ioctl(m_userFault, UFFDIO_REGISTER, &range) != 0)
                return false;
        }
        guardAgain(region.base >> pageBits, region.size >> pageBits);
    }
    return true;
}

// Where memory has come beside pages that were entered, it has taken the place of their guards.
void GuardedMemory::guardAgain(size_t first, size_t count)
{
    const size_t end = first + count;
    for (const size_t page : { first, end - 1 })
        if (m_guarded[page]) {
            m_guarded[page] = false;
            guard(page, ~page & 1);
        }
}

bool GuardedMemory::enter(PhysicalAddress physicalPage)
{
    if (!m_memory.pageHost(physicalPage))
        return false;
    const size_t number = physicalPage >> pageBits;
    if (m_entered[number])
        return true;
    if (m_mappedRegions < m_memory.regions().size() && !mapNewRegions())
        return false;
    uint8_t* page = place(physicalPage);
    m_entered[number] = m_means == Means::GuardPages
        ? (number == 0 || guard(number - 1, number & 1)) && guard(number + 1, number & 1)
        : admit(page);
    return m_entered[number];
}

// Beyond the last page of the address space there is nothing anyway.
bool GuardedMemory::guard(size_t page, unsigned view)
{
    if (page >= m_guarded.size() || m_guarded[page])
        return true;
    m_guarded[page] = madvise(m_views[view] + (page << pageBits), GuestMemory::pageSize, madviseGuardInstall) == 0;
    return m_guarded[page];
}

// Only a page that exists can come in; a look at it elsewhere makes it exist.
bool GuardedMemory::admit(uint8_t* page) const
{
    const size_t view = page >= m_views[1] && page < m_views[1] + GuestMemory::addressSpace ? 1 : 0;
    const auto physical = static_cast<PhysicalAddress>(page - m_views[view]);
    for (int attempt = 0; attempt < 3; ++attempt) {
        [[maybe_unused]] const uint8_t seen = *static_cast<volatile const uint8_t*>(m_memory.pageHost(physical));
        uffdio_continue range { { reinterpret_cast<uintptr_t>(page), GuestMemory::pageSize }, 0, 0 };
        if (ioctl(m_userFault, UFFDIO_CONTINUE, &range) == 0 || errno == EEXIST)
            return true;
    }
    return false;
}

} // namespace namsan
