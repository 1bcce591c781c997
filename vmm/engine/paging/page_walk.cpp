// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/page_walk.h"

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/decode/code_cache.h"

#include <atomic>

namespace namsan {

namespace {

// Bits of page directory and page table entries. Intel SDM volume 3, tables 4-4 to 4-6.
constexpr uint32_t entryPresent = 1 << 0;
constexpr uint32_t entryWritable = 1 << 1;
constexpr uint32_t entryUser = 1 << 2;
constexpr uint32_t entryAccessed = 1 << 5;
constexpr uint32_t entryDirty = 1 << 6;
constexpr uint32_t entryLarge = 1 << 7;
constexpr uint32_t entryGlobal = 1 << 8;

constexpr uint32_t frameMask = 0xfffff000;
constexpr uint32_t largeFrameMask = 0xffc00000;
// Where PSE-36 would keep address bits 32 to 39; with 32-bit physical addresses they are reserved.
constexpr uint32_t largeReserved = 0x003fe000;

bool mayWrite(const PageWalk::Control& control, bool user, uint32_t rights)
{
    return (rights & entryWritable) || (!user && !(control.cr0 & cr0::writeProtect));
}

// The error code where the rights of both levels together forbid the access. Intel SDM volume 3, 4.6.
std::optional<uint32_t> violation(const PageWalk::Control& control, PageAccess access, uint32_t rights)
{
    if ((!access.user || (rights & entryUser)) && (!access.write || mayWrite(control, access.user, rights)))
        return {};
    return page_fault::present | (access.write ? page_fault::write : 0) | (access.user ? page_fault::user : 0);
}

PageWalkResult notPresent(PageAccess access, uint32_t more = 0)
{
    return { more | (access.write ? page_fault::write : 0) | (access.user ? page_fault::user : 0), {} };
}

} // namespace

uint32_t PageWalk::readEntry(uint32_t physical) const
{
    uint8_t* host = m_memory.host(physical & m_addressMask);
    if (!host)
        return 0xffffffff;
    return std::atomic_ref(*reinterpret_cast<uint32_t*>(host)).load(std::memory_order_relaxed);
}

// The processor sets these bits with a locked cycle: another processor may be changing the same entry.
void PageWalk::setBits(uint32_t physical, uint32_t entry, uint32_t bits)
{
    if ((entry & bits) == bits)
        return;
    physical &= m_addressMask;
    uint8_t* host = m_memory.host(physical);
    if (!host)
        return;
    const uint8_t flags = m_memory.flags(physical);
    if (flags & GuestMemory::ReadOnly)
        return;
    std::atomic_ref(*reinterpret_cast<uint32_t*>(host)).fetch_or(bits);
    m_memory.noteWrite(physical);
    if ((flags & GuestMemory::Code) && m_codeCache)
        m_codeCache->codeWrittenHere(physical, sizeof(uint32_t));
}

PageWalkResult PageWalk::walk(const Control& control, uint32_t linear, PageAccess access)
{
    const uint32_t directoryAddress = (control.cr3 & frameMask) | (linear >> 22 << 2);
    const uint32_t directoryEntry = readEntry(directoryAddress);
    if (!(directoryEntry & entryPresent))
        return notPresent(access);
    if ((directoryEntry & entryLarge) && (control.cr4 & cr4::pageSizeExtensions))
        return walkLarge(control, linear, access, directoryAddress, directoryEntry);

    const uint32_t tableAddress = (directoryEntry & frameMask) | (linear >> 12 & 0x3ff) << 2;
    const uint32_t tableEntry = readEntry(tableAddress);
    if (!(tableEntry & entryPresent))
        return notPresent(access);
    const uint32_t rights = directoryEntry & tableEntry;
    if (const auto errorCode = violation(control, access, rights))
        return { errorCode, {} };

    setBits(directoryAddress, directoryEntry, entryAccessed);
    setBits(tableAddress, tableEntry, entryAccessed | (access.write ? entryDirty : 0));
    const bool dirty = access.write || (tableEntry & entryDirty);
    return { {},
        { tableEntry & frameMask & m_addressMask, dirty && mayWrite(control, access.user, rights),
            (tableEntry & entryGlobal) && (control.cr4 & cr4::pageGlobalEnable), false } };
}

std::optional<PageTranslation> PageWalk::peek(const Control& control, uint32_t linear, bool user) const
{
    if (!(control.cr0 & cr0::paging))
        return PageTranslation { linear & frameMask & m_addressMask, true, false, false };
    constexpr uint32_t needed = entryPresent | entryAccessed;
    const uint32_t directoryEntry = readEntry((control.cr3 & frameMask) | (linear >> 22 << 2));
    if ((directoryEntry & needed) != needed || (user && !(directoryEntry & entryUser)))
        return {};
    const bool globalCounts = control.cr4 & cr4::pageGlobalEnable;
    if ((directoryEntry & entryLarge) && (control.cr4 & cr4::pageSizeExtensions)) {
        if (directoryEntry & largeReserved)
            return {};
        const bool writable = (directoryEntry & entryDirty) && mayWrite(control, user, directoryEntry);
        const uint32_t physical = (directoryEntry & largeFrameMask) | (linear & ~largeFrameMask & frameMask);
        return PageTranslation { physical & m_addressMask, writable, (directoryEntry & entryGlobal) && globalCounts,
            true };
    }
    const uint32_t tableEntry = readEntry((directoryEntry & frameMask) | (linear >> 12 & 0x3ff) << 2);
    if ((tableEntry & needed) != needed || (user && !(tableEntry & entryUser)))
        return {};
    const bool writable = (tableEntry & entryDirty) && mayWrite(control, user, directoryEntry & tableEntry);
    return PageTranslation { tableEntry & frameMask & m_addressMask, writable,
        (tableEntry & entryGlobal) && globalCounts, false };
}

PageWalkResult PageWalk::walkLarge(
    const Control& control, uint32_t linear, PageAccess access, uint32_t directoryAddress, uint32_t directoryEntry)
{
    if (directoryEntry & largeReserved)
        return notPresent(access, page_fault::present | page_fault::reservedBit);
    if (const auto errorCode = violation(control, access, directoryEntry))
        return { errorCode, {} };

    setBits(directoryAddress, directoryEntry, entryAccessed | (access.write ? entryDirty : 0));
    const bool dirty = access.write || (directoryEntry & entryDirty);
    const uint32_t physical = (directoryEntry & largeFrameMask) | (linear & ~largeFrameMask & frameMask);
    return { {},
        { physical & m_addressMask, dirty && mayWrite(control, access.user, directoryEntry),
            (directoryEntry & entryGlobal) && (control.cr4 & cr4::pageGlobalEnable), true } };
}

} // namespace namsan
