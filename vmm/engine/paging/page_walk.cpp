// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/page_walk.h"

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/decode/code_cache.h"

#include <algorithm>
#include <atomic>

namespace namsan {

namespace {

// Bits of page directory and page table entries. Intel SDM volume 3, tables 4-4 to 4-11.
constexpr uint64_t entryPresent = 1 << 0;
constexpr uint64_t entryWritable = 1 << 1;
constexpr uint64_t entryUser = 1 << 2;
constexpr uint32_t entryAccessed = 1 << 5;
constexpr uint32_t entryDirty = 1 << 6;
constexpr uint64_t entryLarge = 1 << 7;
constexpr uint64_t entryGlobal = 1 << 8;
constexpr uint64_t entryNoExecute = uint64_t { 1 } << 63;

constexpr uint64_t pageOffset = 0xfff;
constexpr uint32_t frame32 = 0xfffff000;
constexpr uint32_t largeFrame32 = 0xffc00000;
constexpr uint64_t framePae = 0x000ffffffffff000;
constexpr uint64_t largeFramePae = 0x000fffffffe00000;
constexpr uint64_t largeReservedPae = 0x001fe000;
constexpr uint32_t pointerTable = 0xffffffe0; // of CR3 with PAE
constexpr uint64_t pointerReserved = 0x1e6;

// Bits 13 to 20 of an entry for 4 MiB are bits 32 to 39 of the address. Intel SDM volume 3, 4.3.
constexpr unsigned highAddressShift = 32 - 13;

PhysicalAddress largePage32(uint64_t entry)
{
    constexpr uint64_t highAddress = 0x001fe000;
    return (entry & largeFrame32) | (entry & highAddress) << highAddressShift;
}

bool noExecuteIsOn(const PageWalk::Control& control)
{
    return (control.efer & efer::noExecuteEnable) && (control.cr4 & cr4::physicalAddressExtension);
}

uint32_t errorBits(const PageWalk::Control& control, PageAccess access)
{
    return (access.write ? page_fault::write : 0) | (access.user ? page_fault::user : 0)
        | (access.fetch && noExecuteIsOn(control) ? page_fault::fetch : 0);
}

PageWalkResult fault(const PageWalk::Control& control, PageAccess access, uint32_t reason = 0)
{
    return { errorBits(control, access) | reason, {} };
}

constexpr uint32_t reservedBitSet = page_fault::present | page_fault::reservedBit;

} // namespace

// Where there is no memory, all bits are ones.
template <class Entry> PageWalk::Step PageWalk::readEntry(PhysicalAddress physical) const
{
    physical &= m_addressMask;
    uint8_t* host = m_memory.host(physical);
    if (!host)
        return { physical, static_cast<Entry>(~Entry { 0 }) };
    return { physical, std::atomic_ref(*reinterpret_cast<Entry*>(host)).load(std::memory_order_relaxed) };
}

// The processor sets these bits with a locked cycle, and only in the entry that it has walked through: another
// processor may be changing it, and must not find a dirty bit in what it has just made not present. They lie in the low
// half of entries of either size. False: the entry is another one by now.
bool PageWalk::setBits(const Step& step, uint32_t bits)
{
    if ((step.entry & bits) == bits)
        return true;
    uint8_t* host = m_memory.host(step.address);
    if (!host || (m_memory.flags(step.address) & GuestMemory::ReadOnly))
        return true;
    auto expected = static_cast<uint32_t>(step.entry);
    if (!std::atomic_ref(*reinterpret_cast<uint32_t*>(host)).compare_exchange_strong(expected, expected | bits))
        return false;
    m_memory.noteWrite(step.address);
    if ((m_memory.flags(step.address) & GuestMemory::Code) && m_codeCache)
        m_codeCache->codeWrittenHere(step.address, sizeof(uint32_t));
    return true;
}

PageWalkResult PageWalk::walk(const Control& control, uint32_t linear, PageAccess access)
{
    while (true) {
        const auto result = control.cr4 & cr4::physicalAddressExtension ? walkPae(control, linear, access)
                                                                        : walk32(control, linear, access);
        if (result)
            return *result;
    }
}

// Intel SDM volume 3, table 4-4: what no address bit is, of bits 13 to 21.
uint64_t PageWalk::reservedInLargePage32() const
{
    constexpr uint64_t above = 0x003fe000;
    if (!m_model.pse36)
        return above;
    const unsigned addressBits = std::min(40u, m_model.physicalBits) - 32;
    return above & ~(((uint64_t { 1 } << addressBits) - 1) << 13);
}

uint64_t PageWalk::reservedInPaeEntry(const Control& control) const
{
    return (beyondPhysical() & ~entryNoExecute) | (noExecuteIsOn(control) ? 0 : entryNoExecute);
}

std::optional<PageWalkResult> PageWalk::walk32(const Control& control, uint32_t linear, PageAccess access)
{
    const Step directory = readEntry<uint32_t>((control.cr3 & frame32) | (linear >> 22 << 2));
    if (!(directory.entry & entryPresent))
        return fault(control, access);
    if ((directory.entry & entryLarge) && (control.cr4 & cr4::pageSizeExtensions)) {
        if (directory.entry & reservedInLargePage32())
            return fault(control, access, reservedBitSet);
        return finish(
            control, access, directory, directory, largePage32(directory.entry) | (linear & ~largeFrame32 & frame32));
    }

    const Step table = readEntry<uint32_t>((directory.entry & frame32) | (linear >> 12 & 0x3ff) << 2);
    if (!(table.entry & entryPresent))
        return fault(control, access);
    return finish(control, access, directory, table, table.entry & frame32);
}

std::optional<PageWalkResult> PageWalk::walkPae(const Control& control, uint32_t linear, PageAccess access)
{
    const uint64_t pointer = control.pageDirectoryPointers[linear >> 30];
    if (!(pointer & entryPresent))
        return fault(control, access);
    const Step directory = readEntry<uint64_t>((pointer & framePae) | (linear >> 21 & 0x1ff) << 3);
    if (!(directory.entry & entryPresent))
        return fault(control, access);
    const uint64_t reserved = reservedInPaeEntry(control);
    const bool large = directory.entry & entryLarge;
    if (directory.entry & (reserved | (large ? largeReservedPae : 0)))
        return fault(control, access, reservedBitSet);
    if (large)
        return finish(control, access, directory, directory,
            (directory.entry & largeFramePae) | (linear & ~largeFramePae & frame32));

    const Step table = readEntry<uint64_t>((directory.entry & framePae) | (linear >> 12 & 0x1ff) << 3);
    if (!(table.entry & entryPresent))
        return fault(control, access);
    if (table.entry & reserved)
        return fault(control, access, reservedBitSet);
    return finish(control, access, directory, table, table.entry & framePae);
}

// The rights of both levels together decide. Intel SDM volume 3, 4.6. Nothing: walk again.
std::optional<PageWalkResult> PageWalk::finish(
    const Control& control, PageAccess access, const Step& directory, const Step& last, PhysicalAddress page)
{
    const uint64_t rights = directory.entry & last.entry;
    const bool writable = (rights & entryWritable) || (!access.user && !(control.cr0 & cr0::writeProtect));
    const bool executable = !((directory.entry | last.entry) & entryNoExecute);
    if ((access.user && !(rights & entryUser)) || (access.write && !writable) || (access.fetch && !executable))
        return fault(control, access, page_fault::present);

    // Also where a directory is its own page table: then the two are one entry, and INVLPG forgets more than it must.
    const bool large = directory.address == last.address;
    if (!large && !setBits(directory, entryAccessed))
        return {};
    if (!setBits(last, entryAccessed | (access.write ? entryDirty : 0)))
        return {};
    const bool dirty = access.write || (last.entry & entryDirty);
    const bool global = (last.entry & entryGlobal) && (control.cr4 & cr4::pageGlobalEnable);
    return PageWalkResult { {}, { page & ~pageOffset & m_addressMask, dirty && writable, global, large, executable } };
}

// -- without changing anything ----------------------------------------------------------------------------------------

std::optional<PageTranslation> PageWalk::peek(const Control& control, uint32_t linear, bool user) const
{
    if (!(control.cr0 & cr0::paging))
        return PageTranslation { linear & frame32 & m_addressMask, true, false, false, true };
    return control.cr4 & cr4::physicalAddressExtension ? peekPae(control, linear, user) : peek32(control, linear, user);
}

bool PageWalk::mayRead(const Step& step, bool user)
{
    const uint64_t needed = entryPresent | entryAccessed | (user ? entryUser : 0);
    return (step.entry & needed) == needed;
}

PageTranslation PageWalk::seen(
    const Control& control, bool user, const Step& directory, const Step& last, PhysicalAddress page) const
{
    const bool mayWrite
        = (directory.entry & last.entry & entryWritable) || (!user && !(control.cr0 & cr0::writeProtect));
    return { page & ~pageOffset & m_addressMask, mayWrite && (last.entry & entryDirty),
        (last.entry & entryGlobal) && (control.cr4 & cr4::pageGlobalEnable), directory.address == last.address,
        !((directory.entry | last.entry) & entryNoExecute) };
}

std::optional<PageTranslation> PageWalk::peek32(const Control& control, uint32_t linear, bool user) const
{
    const Step directory = readEntry<uint32_t>((control.cr3 & frame32) | (linear >> 22 << 2));
    if (!mayRead(directory, user))
        return {};
    if ((directory.entry & entryLarge) && (control.cr4 & cr4::pageSizeExtensions)) {
        if (directory.entry & reservedInLargePage32())
            return {};
        return seen(
            control, user, directory, directory, largePage32(directory.entry) | (linear & ~largeFrame32 & frame32));
    }
    const Step table = readEntry<uint32_t>((directory.entry & frame32) | (linear >> 12 & 0x3ff) << 2);
    if (!mayRead(table, user))
        return {};
    return seen(control, user, directory, table, table.entry & frame32);
}

std::optional<PageTranslation> PageWalk::peekPae(const Control& control, uint32_t linear, bool user) const
{
    const uint64_t pointer = control.pageDirectoryPointers[linear >> 30];
    if (!(pointer & entryPresent))
        return {};
    const Step directory = readEntry<uint64_t>((pointer & framePae) | (linear >> 21 & 0x1ff) << 3);
    const uint64_t reserved = reservedInPaeEntry(control);
    const bool large = directory.entry & entryLarge;
    if (!mayRead(directory, user) || (directory.entry & (reserved | (large ? largeReservedPae : 0))))
        return {};
    if (large)
        return seen(control, user, directory, directory,
            (directory.entry & largeFramePae) | (linear & ~largeFramePae & frame32));
    const Step table = readEntry<uint64_t>((directory.entry & framePae) | (linear >> 12 & 0x1ff) << 3);
    if (!mayRead(table, user) || (table.entry & reserved))
        return {};
    return seen(control, user, directory, table, table.entry & framePae);
}

std::optional<PageDirectoryPointers> PageWalk::readPageDirectoryPointers(uint32_t cr3) const
{
    PageDirectoryPointers pointers {};
    for (uint32_t n = 0; n < pointers.size(); ++n) {
        pointers[n] = readEntry<uint64_t>((cr3 & pointerTable) + 8 * n).entry;
        if ((pointers[n] & entryPresent) && (pointers[n] & (pointerReserved | beyondPhysical())))
            return {};
    }
    return pointers;
}

} // namespace namsan
