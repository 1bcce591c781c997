// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/guest_memory.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace namsan {

// The VM's memory at host addresses from which an access cannot run over an end of a page: before and behind each page
// that was entered lies one that nobody can touch, so an access that crosses the page's end faults on the host.
//
// Physical memory is mapped twice for that, once for the even pages and once for the odd ones; in each of the two the
// pages of the other kind are kept out. An address is the mapping's, plus the physical address. Of one vCPU's thread.
class GuardedMemory {
public:
    // How pages are kept out.
    enum class Means {
        GuardPages, // MADV_GUARD_INSTALL: Linux 6.13, for shared memory 6.15
        UserFault, // pages come in one by one through userfaultfd: Linux 5.14
    };

    // Takes the better means that this host has. Fails with a sentence where it has neither.
    static Result<std::unique_ptr<GuardedMemory>> create(const GuestMemory&);
    static Result<std::unique_ptr<GuardedMemory>> create(const GuestMemory&, Means);
    ~GuardedMemory();
    GuardedMemory(const GuardedMemory&) = delete;
    GuardedMemory& operator=(const GuardedMemory&) = delete;

    Means means() const { return m_means; }

    // Where a page is, whether it was entered or not; nullptr beyond the memory's address space.
    uint8_t* place(PhysicalAddress page) const
    {
        return page < GuestMemory::addressSpace ? m_views[page >> pageBits & 1] + page : nullptr;
    }

    // Makes the page usable at its place. False where it is no memory or the host refuses; it may be asked again.
    bool enter(PhysicalAddress page);
    bool isEntered(PhysicalAddress page) const
    {
        return page < GuestMemory::addressSpace && m_entered[page >> pageBits];
    }

    // Whether entering a page that the guest has not touched takes no memory of the host.
    bool isEnteredFree() const { return m_means == Means::GuardPages; }

    // With userfaultfd the host may take a page away again when it is short of memory: to be entered anew.
    void forget(PhysicalAddress page)
    {
        if (page < GuestMemory::addressSpace)
            m_entered[page >> pageBits] = false;
    }

private:
    static constexpr unsigned pageBits = 12;
    static constexpr uint64_t viewSize = GuestMemory::addressSpace + 2 * GuestMemory::pageSize; // with a page before

    GuardedMemory(const GuestMemory&, Means);

    Result<void> reserve();
    Result<void> tryMeans();
    bool mapNewRegions();
    bool guard(size_t page, unsigned view);
    void guardAgain(size_t first, size_t count);
    bool admit(uint8_t* page) const;

    const GuestMemory& m_memory;
    const Means m_means;
    int m_userFault = -1;
    std::array<uint8_t*, 2> m_views {}; // those of the even and of the odd pages
    size_t m_mappedRegions = 0;
    std::vector<bool> m_entered; // by page number
    std::vector<bool> m_guarded; // likewise, in the view of the other kind
};

} // namespace namsan
