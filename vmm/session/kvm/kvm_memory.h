// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/guest_memory.h"

#include <atomic>
#include <compare>
#include <mutex>
#include <optional>
#include <vector>

namespace namsan {

// A run of guest-physical pages that KVM maps to host memory in one piece.
struct MemorySlot {
    PhysicalAddress guest = 0; // where the guest sees it
    PhysicalAddress backing = 0; // its address in GuestMemory: another one while the A20 gate is closed
    uint64_t size = 0;
    bool logged = false; // Tracked: KVM keeps a log of written pages
    bool readOnly = false;

    auto operator<=>(const MemorySlot&) const = default;
};

// The slots that show a guest its memory. While the A20 gate is closed, each even MiB appears a second time at the odd
// MiB above it, which is what a processor without address line 20 sees; the odd ones are nowhere.
std::vector<MemorySlot> planSlots(const GuestMemory&, bool a20Open);

// Guest memory as a VM of KVM knows it, and KVM's log of what the guest wrote. Any thread.
class KvmMemory final : public DirtySource {
public:
    // The memory outlives this. mostSlots: what KVM allows.
    KvmMemory(GuestMemory&, int vm, bool readOnlySlots, size_t mostSlots);
    ~KvmMemory() override;
    KvmMemory(const KvmMemory&) = delete;
    KvmMemory& operator=(const KvmMemory&) = delete;

    // Brings KVM's slots in line with the memory's regions and flags. No vCPU runs guest code on this thread, others
    // may. Fails with a sentence where KVM does not take them.
    Result<void> apply(bool a20Open);

    // Around each time that a vCPU runs the guest: as long as none has, the log needs no look.
    void vcpuEnters() { m_running.fetch_add(1); }
    void vcpuLeaves()
    {
        m_hasRun = true;
        m_running.fetch_sub(1);
    }

    void collectDirty(PhysicalAddress base, uint64_t size) override;

private:
    Result<void> remove(uint32_t id);
    Result<void> add(uint32_t id, const MemorySlot&);
    uint32_t freeId() const;
    void collect(uint32_t id);

    GuestMemory& m_memory;
    int m_vm;
    bool m_readOnlySlots;
    size_t m_mostSlots;

    std::mutex m_mutex; // of the slots; nothing else is locked under it
    std::vector<std::optional<MemorySlot>> m_slots; // by KVM's number
    std::vector<uint64_t> m_bitmap;
    std::atomic<unsigned> m_running = 0;
    std::atomic<bool> m_hasRun = false;
};

} // namespace namsan
