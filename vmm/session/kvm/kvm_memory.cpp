// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_memory.h"

#include "vmm/session/kvm/kvm_api.h"
#include "vmm/session/kvm/kvm_call.h"

#include <algorithm>
#include <bit>

namespace namsan {

namespace {

constexpr uint64_t addressLine20 = uint64_t { 1 } << 20;
constexpr uint8_t slotFlags = GuestMemory::Tracked | GuestMemory::ReadOnly;

// Cuts a piece of memory where the flags that matter to a slot change.
void addRuns(std::vector<MemorySlot>& slots, const GuestMemory& memory, PhysicalAddress begin, PhysicalAddress end,
    PhysicalAddress guestOffset)
{
    while (begin < end) {
        const uint8_t flags = memory.flags(begin) & slotFlags;
        PhysicalAddress runEnd = begin + GuestMemory::pageSize;
        while (runEnd < end && (memory.flags(runEnd) & slotFlags) == flags)
            runEnd += GuestMemory::pageSize;
        slots.push_back({ begin + guestOffset, begin, runEnd - begin, (flags & GuestMemory::Tracked) != 0,
            (flags & GuestMemory::ReadOnly) != 0 });
        begin = runEnd;
    }
}

} // namespace

std::vector<MemorySlot> planSlots(const GuestMemory& memory, bool a20Open)
{
    std::vector<MemorySlot> slots;
    for (const GuestMemory::Region& region : memory.regions()) {
        const PhysicalAddress end = region.base + region.size;
        if (a20Open) {
            addRuns(slots, memory, region.base, end, 0);
            continue;
        }
        for (PhysicalAddress begin = region.base; begin < end;) {
            const PhysicalAddress next = std::min(end, (begin | (addressLine20 - 1)) + 1);
            if (!(begin & addressLine20)) {
                addRuns(slots, memory, begin, next, 0);
                addRuns(slots, memory, begin, next, addressLine20);
            }
            begin = next;
        }
    }
    std::ranges::sort(slots);
    return slots;
}

KvmMemory::KvmMemory(GuestMemory& memory, int vm, bool readOnlySlots, size_t mostSlots)
    : m_memory(memory)
    , m_vm(vm)
    , m_readOnlySlots(readOnlySlots)
    , m_mostSlots(mostSlots)
{
    m_memory.setDirtySource(this);
}

KvmMemory::~KvmMemory()
{
    // What was written last is dirty for whoever runs the guest next.
    collectDirty(0, GuestMemory::addressSpace);
    m_memory.setDirtySource(nullptr);
}

Result<void> KvmMemory::apply(bool a20Open)
{
    const std::vector<MemorySlot> wanted = planSlots(m_memory, a20Open);
    const std::lock_guard guard(m_mutex);
    if (wanted.size() > m_mostSlots)
        return Error { fmt::format("The host's KVM takes {} pieces of memory, and this machine needs {} while its A20 "
                                   "gate is closed. Give it less memory, or use the software CPU (--engine soft).",
            m_mostSlots, wanted.size()) };
    // KVM allows no two slots at one place, so what goes goes first.
    for (uint32_t id = 0; id < m_slots.size(); ++id) {
        if (m_slots[id] && !std::ranges::binary_search(wanted, *m_slots[id]))
            if (auto removed = remove(id); !removed)
                return removed;
    }
    std::vector<MemorySlot> present;
    for (const auto& slot : m_slots)
        if (slot)
            present.push_back(*slot);
    std::ranges::sort(present);
    for (const MemorySlot& slot : wanted) {
        if (!std::ranges::binary_search(present, slot))
            if (auto added = add(freeId(), slot); !added)
                return added;
    }
    return {};
}

uint32_t KvmMemory::freeId() const
{
    const auto isFree = [](const std::optional<MemorySlot>& slot) { return !slot; };
    return static_cast<uint32_t>(std::ranges::find_if(m_slots, isFree) - m_slots.begin());
}

Result<void> KvmMemory::remove(uint32_t id)
{
    if (m_slots[id]->logged)
        collect(id);
    kvm_userspace_memory_region region {};
    region.slot = id;
    region.guest_phys_addr = m_slots[id]->guest;
    m_slots[id].reset();
    return kvmCall(m_vm, KVM_SET_USER_MEMORY_REGION, &region, "to give back guest memory");
}

Result<void> KvmMemory::add(uint32_t id, const MemorySlot& slot)
{
    kvm_userspace_memory_region region {};
    region.slot = id;
    region.flags
        = (slot.logged ? KVM_MEM_LOG_DIRTY_PAGES : 0u) | (slot.readOnly && m_readOnlySlots ? KVM_MEM_READONLY : 0u);
    region.guest_phys_addr = slot.guest;
    region.memory_size = slot.size;
    region.userspace_addr = reinterpret_cast<uintptr_t>(m_memory.pageHost(slot.backing));
    const auto added = kvmCall(m_vm, KVM_SET_USER_MEMORY_REGION, &region,
        fmt::format("{} KiB of guest memory at {:08x}", slot.size >> 10, slot.guest));
    if (!added)
        return added;
    if (id >= m_slots.size())
        m_slots.resize(id + 1);
    m_slots[id] = slot;
    return {};
}

void KvmMemory::collectDirty(PhysicalAddress base, uint64_t size)
{
    if (!m_hasRun.exchange(false) && m_running == 0)
        return;
    const std::lock_guard guard(m_mutex);
    bool leftOut = false;
    for (uint32_t id = 0; id < m_slots.size(); ++id) {
        if (!m_slots[id] || !m_slots[id]->logged)
            continue;
        const MemorySlot& slot = *m_slots[id];
        if (slot.backing < base + size && base < slot.backing + slot.size)
            collect(id);
        else
            leftOut = true;
    }
    // Who asks for another range has not looked yet.
    if (leftOut)
        m_hasRun = true;
}

// KVM gives the log and begins a new one. A slot whose log it refuses counts as written all over: drawn too often is
// better than never.
void KvmMemory::collect(uint32_t id)
{
    const MemorySlot& slot = *m_slots[id];
    const uint64_t pages = slot.size / GuestMemory::pageSize;
    m_bitmap.assign((pages + 63) / 64, 0);
    kvm_dirty_log log {};
    log.slot = id;
    log.dirty_bitmap = m_bitmap.data();
    if (ioctl(m_vm, KVM_GET_DIRTY_LOG, &log) != 0)
        m_bitmap.assign(m_bitmap.size(), ~uint64_t { 0 });
    for (uint64_t word = 0; word < m_bitmap.size(); ++word) {
        for (uint64_t bits = m_bitmap[word]; bits != 0; bits &= bits - 1) {
            const uint64_t page = 64 * word + static_cast<uint64_t>(std::countr_zero(bits));
            if (page < pages)
                m_memory.noteWrite(slot.backing + page * GuestMemory::pageSize);
        }
    }
}

} // namespace namsan
