// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

#include <cstdint>
#include <vector>

namespace namsan {

// A piece of a buffer in the guest's memory. The guest may write anything here: address + length may wrap around, and
// there may be no memory (GuestMemory's copies bear both).
struct GuestPiece {
    uint64_t address;
    uint32_t length;
};

// One buffer that the driver offered: what the device reads, then what it writes.
struct VirtqueueChain {
    uint16_t head = 0;
    std::vector<GuestPiece> readable;
    std::vector<GuestPiece> writable;

    uint64_t readableBytes() const { return total(readable); }
    uint64_t writableBytes() const { return total(writable); }

private:
    static uint64_t total(const std::vector<GuestPiece>& pieces)
    {
        uint64_t bytes = 0;
        for (const GuestPiece& piece : pieces)
            bytes += piece.length;
        return bytes;
    }
};

// The device's side of one split virtqueue. Virtual I/O Device (VIRTIO) 1.2, 2.7.
//
// The rings lie in the guest's memory, wherever the driver put them, and hold whatever it wrote: every loop here is
// bounded by the queue's size, and what the driver may not do (2.7.5.3.1, 2.7.7.1) makes the queue broken until the
// next reset. All calls under the board lock; other vCPUs may write the rings meanwhile.
class Virtqueue {
public:
    static constexpr uint16_t largestSize = 256;

    explicit Virtqueue(GuestMemory& memory)
        : m_memory(memory)
    {
    }

    // What the driver writes into the common configuration. size is a power of two up to largestSize.
    struct Setup {
        uint64_t descriptorArea = 0;
        uint64_t driverArea = 0; // the available ring
        uint64_t deviceArea = 0; // the used ring
        uint16_t size = largestSize;
        uint16_t enabled = 0; // 0 or 1
    };
    Setup setup;

    void reset();
    // VIRTIO_F_EVENT_IDX and VIRTIO_F_INDIRECT_DESC, once the features are agreed upon.
    void setFeatures(bool eventIndex, bool indirect);

    bool broken() const { return m_broken; }
    // Whether the driver has offered a buffer that was not taken yet.
    bool hasBuffer() const;
    // Takes the next buffer. False: there is none, or what is there has broken the queue.
    bool take(VirtqueueChain&);
    // The last buffers that were taken were not used: they will be taken again.
    void untake(unsigned buffers) { m_nextAvailable = static_cast<uint16_t>(m_nextAvailable - buffers); }

    // Gives a buffer back with so many bytes written into it; the driver sees it after publish().
    void put(const VirtqueueChain&, uint32_t written);
    void publish();
    // After publish(): whether the driver wants an interrupt for what was published since the last time it was asked.
    bool interruptWanted();

    // Whether the driver is to notify of further buffers, behind those that it has offered until now. Some may have
    // come without notification before this took effect: look once more after switching it on.
    void askForNotification(bool on);

    struct Progress {
        uint16_t nextAvailable = 0;
        uint16_t nextUsed = 0;
        uint16_t usedWhenAsked = 0;
        uint16_t broken = 0; // 0 or 1
    };
    Progress progress() const { return { m_nextAvailable, m_nextUsed, m_usedWhenAsked, m_broken }; }
    void setProgress(const Progress&);

private:
    struct Descriptor;

    uint16_t mask() const { return static_cast<uint16_t>(setup.size - 1); }
    uint16_t readWord(uint64_t address) const;
    void writeWord(uint64_t address, uint16_t value);
    Descriptor readDescriptor(uint64_t table, uint16_t index) const;
    bool walk(uint64_t table, uint32_t entries, uint16_t first, bool mayBeIndirect, VirtqueueChain&) const;

    GuestMemory& m_memory;
    bool m_eventIndex = false;
    bool m_indirect = false;
    bool m_broken = false;
    uint16_t m_nextAvailable = 0; // the next entry of the available ring to take
    uint16_t m_nextUsed = 0; // the next entry of the used ring to fill
    uint16_t m_usedWhenAsked = 0; // m_nextUsed at the last interruptWanted()
};

} // namespace namsan
