// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/virtio/virtqueue.h"

#include <array>
#include <atomic>
#include <cstring>

namespace namsan {

namespace {

// The available ring: flags, index, entries, and the used event behind them. VIRTIO 1.2, 2.7.6.
constexpr uint64_t ringIndex = 2;
constexpr uint64_t ringEntries = 4;
constexpr uint64_t availableEntrySize = 2;
constexpr uint64_t usedEntrySize = 8; // 2.7.8: index of the chain's head, length

constexpr uint16_t availableNoInterrupt = 1;
constexpr uint16_t usedNoNotify = 1;

// Descriptors, 2.7.5.
constexpr uint64_t descriptorSize = 16;
constexpr uint16_t descriptorNext = 1;
constexpr uint16_t descriptorWrite = 2;
constexpr uint16_t descriptorIndirect = 4;

} // namespace

struct Virtqueue::Descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};

void Virtqueue::reset()
{
    setup = {};
    m_eventIndex = m_indirect = false;
    setProgress({});
}

void Virtqueue::setFeatures(bool eventIndex, bool indirect)
{
    m_eventIndex = eventIndex;
    m_indirect = indirect;
}

void Virtqueue::setProgress(const Progress& progress)
{
    m_nextAvailable = progress.nextAvailable;
    m_nextUsed = progress.nextUsed;
    m_usedWhenAsked = progress.usedWhenAsked;
    m_broken = progress.broken != 0;
}

uint16_t Virtqueue::readWord(uint64_t address) const
{
    std::array<uint8_t, 2> bytes;
    m_memory.read(address, bytes);
    return static_cast<uint16_t>(bytes[0] | bytes[1] << 8);
}

void Virtqueue::writeWord(uint64_t address, uint16_t value)
{
    const std::array<uint8_t, 2> bytes { static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8) };
    m_memory.write(address, bytes);
}

Virtqueue::Descriptor Virtqueue::readDescriptor(uint64_t table, uint16_t index) const
{
    std::array<uint8_t, descriptorSize> bytes;
    m_memory.read(table + index * descriptorSize, bytes);
    Descriptor descriptor;
    std::memcpy(&descriptor.address, &bytes[0], sizeof descriptor.address);
    std::memcpy(&descriptor.length, &bytes[8], sizeof descriptor.length);
    std::memcpy(&descriptor.flags, &bytes[12], sizeof descriptor.flags);
    std::memcpy(&descriptor.next, &bytes[14], sizeof descriptor.next);
    return descriptor;
}

bool Virtqueue::hasBuffer() const
{
    return !m_broken && setup.enabled && readWord(setup.driverArea + ringIndex) != m_nextAvailable;
}

bool Virtqueue::take(VirtqueueChain& chain)
{
    if (m_broken || !setup.enabled)
        return false;
    const auto offered = static_cast<uint16_t>(readWord(setup.driverArea + ringIndex) - m_nextAvailable);
    if (offered == 0)
        return false;
    // The entries were written before the index.
    std::atomic_thread_fence(std::memory_order_acquire);

    chain.readable.clear();
    chain.writable.clear();
    chain.head = readWord(setup.driverArea + ringEntries + (m_nextAvailable & mask()) * availableEntrySize);
    if (offered > setup.size || chain.head >= setup.size
        || !walk(setup.descriptorArea, setup.size, chain.head, m_indirect, chain)) {
        m_broken = true;
        return false;
    }
    ++m_nextAvailable;
    return true;
}

// Follows a chain through a table; false where the driver broke the rules. A chain has no more pieces than the queue
// has descriptors, so one that bites its own tail ends, too. VIRTIO 1.2, 2.7.5.3.1.
bool Virtqueue::walk(uint64_t table, uint32_t entries, uint16_t first, bool mayBeIndirect, VirtqueueChain& chain) const
{
    uint16_t index = first;
    while (true) {
        const Descriptor descriptor = readDescriptor(table, index);
        if (descriptor.flags & descriptorIndirect) {
            const uint32_t indirectEntries = descriptor.length / descriptorSize;
            if (!mayBeIndirect || (descriptor.flags & descriptorNext) || indirectEntries == 0
                || descriptor.length % descriptorSize != 0)
                return false;
            return walk(descriptor.address, indirectEntries, 0, false, chain);
        }
        if (descriptor.flags & descriptorWrite)
            chain.writable.push_back({ descriptor.address, descriptor.length });
        else if (chain.writable.empty()) // what is read comes first, 2.7.4.2
            chain.readable.push_back({ descriptor.address, descriptor.length });
        else
            return false;
        if (!(descriptor.flags & descriptorNext))
            return true;
        if (chain.readable.size() + chain.writable.size() >= setup.size || descriptor.next >= entries)
            return false;
        index = descriptor.next;
    }
}

void Virtqueue::put(const VirtqueueChain& chain, uint32_t written)
{
    const std::array<uint32_t, 2> element { chain.head, written };
    std::array<uint8_t, usedEntrySize> bytes;
    std::memcpy(bytes.data(), element.data(), bytes.size());
    m_memory.write(setup.deviceArea + ringEntries + (m_nextUsed & mask()) * usedEntrySize, bytes);
    ++m_nextUsed;
}

void Virtqueue::publish()
{
    std::atomic_thread_fence(std::memory_order_release);
    writeWord(setup.deviceArea + ringIndex, m_nextUsed);
}

bool Virtqueue::interruptWanted()
{
    // The driver writes what it wants and then looks at the index; here it is the other way round. 2.7.7.2, 2.7.10.1
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const auto published = static_cast<uint16_t>(m_nextUsed - m_usedWhenAsked);
    m_usedWhenAsked = m_nextUsed;
    if (!m_eventIndex)
        return published != 0 && !(readWord(setup.driverArea) & availableNoInterrupt);
    const uint16_t usedEvent = readWord(setup.driverArea + ringEntries + setup.size * availableEntrySize);
    return static_cast<uint16_t>(m_nextUsed - usedEvent - 1) < published;
}

void Virtqueue::askForNotification(bool on)
{
    if (m_broken || !setup.enabled)
        return;
    if (!m_eventIndex)
        writeWord(setup.deviceArea, on ? 0 : usedNoNotify);
    else if (on)
        writeWord(setup.deviceArea + ringEntries + setup.size * usedEntrySize,
            readWord(setup.driverArea + ringIndex)); // 2.7.10.2: of the next one behind those
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

} // namespace namsan
