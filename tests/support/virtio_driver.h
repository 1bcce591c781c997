// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/board/mmio_bus.h"
#include "vmm/devices/pci/pci_configuration_space.h"
#include "vmm/devices/pci/pci_function.h"
#include "vmm/devices/virtio/virtqueue.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace namsan {

// A driver's side of one split virtqueue in the guest's memory: VIRTIO 1.2, 2.7, written plainly.
class DriverRing {
public:
    static constexpr uint64_t bytes = 0x4000; // what one takes of the memory

    DriverRing(GuestMemory& memory, PhysicalAddress base, uint16_t size)
        : m_memory(&memory)
        , m_base(base)
        , m_size(size)
    {
        memory.fill(base, bytes, 0);
    }

    PhysicalAddress descriptors() const { return m_base; }
    PhysicalAddress available() const { return m_base + 0x1000; }
    PhysicalAddress used() const { return m_base + 0x2000; }

    template <class T> void put(PhysicalAddress address, T value)
    {
        std::array<uint8_t, sizeof value> raw;
        for (size_t i = 0; i < raw.size(); ++i)
            raw[i] = static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i));
        m_memory->write(address, raw);
    }
    uint16_t word(PhysicalAddress address) const
    {
        std::array<uint8_t, 2> raw;
        m_memory->read(address, raw);
        return static_cast<uint16_t>(raw[0] | raw[1] << 8);
    }

    static constexpr uint16_t next = 1;
    static constexpr uint16_t deviceWrites = 2;
    static constexpr uint16_t indirect = 4;

    void setDescriptor(uint16_t index, uint64_t address, uint32_t length, uint16_t flags, uint16_t following = 0)
    {
        setDescriptorIn(descriptors(), index, address, length, flags, following);
    }
    void setDescriptorIn(PhysicalAddress table, uint16_t index, uint64_t address, uint32_t length, uint16_t flags,
        uint16_t following = 0)
    {
        const PhysicalAddress at = table + index * 16u;
        put(at, address);
        put(at + 8, length);
        put(at + 12, flags);
        put(at + 14, following);
    }

    void offer(uint16_t head)
    {
        put(available() + 4 + (m_offered % m_size) * 2u, head);
        setAvailableIndex(static_cast<uint16_t>(m_offered + 1));
    }
    void setAvailableIndex(uint16_t index)
    {
        m_offered = index;
        put(available() + 2, index);
    }
    uint16_t offered() const { return m_offered; }

    uint16_t usedIndex() const { return word(used() + 2); }
    uint16_t usedHead(unsigned entry) const { return word(used() + 4 + (entry % m_size) * 8u); }
    uint32_t usedLength(unsigned entry) const
    {
        const PhysicalAddress at = used() + 4 + (entry % m_size) * 8u + 4;
        return word(at) | uint32_t { word(at + 2) } << 16;
    }

    void setUsedEvent(uint16_t event) { put(available() + 4 + m_size * 2u, event); }
    uint16_t availableEvent() const { return word(used() + 4 + m_size * 8u); }
    void refuseInterrupts() { put<uint16_t>(available(), 1); }
    bool notificationsRefused() const { return word(used()) & 1; }

private:
    GuestMemory* m_memory;
    PhysicalAddress m_base;
    uint16_t m_size;
    uint16_t m_offered = 0;
};

// Finds a virtio device by its configuration space and drives its registers, as VIRTIO 1.2, 3.1 and 4.1 say.
class VirtioDriver {
public:
    static constexpr uint32_t window = 0xf0000000;

    enum Status : uint8_t { Acknowledge = 1, Driver = 2, DriverOk = 4, FeaturesOk = 8, NeedsReset = 64 };

    // Common configuration, 4.1.4.3.
    enum Register : uint32_t {
        DeviceFeatureSelect = 0x00,
        DeviceFeature = 0x04,
        DriverFeatureSelect = 0x08,
        DriverFeature = 0x0c,
        NumQueues = 0x12,
        DeviceStatus = 0x14,
        QueueSelect = 0x16,
        QueueSize = 0x18,
        QueueEnable = 0x1c,
        QueueNotifyOff = 0x1e,
        QueueDesc = 0x20,
        QueueDriver = 0x28,
        QueueDevice = 0x30,
    };

    VirtioDriver(MmioBus& mmio, PciFunction& function)
        : m_mmio(mmio)
        , m_function(function)
    {
    }

    // Places the window, opens it, and finds the parts by the capabilities.
    void find()
    {
        m_function.writeConfiguration(pci::baseAddress, Width::Dword, window);
        m_function.writeConfiguration(pci::command, Width::Word, pci::memorySpace | pci::busMaster);
        uint32_t at = m_function.readConfiguration(pci::capabilitiesPointer, Width::Byte);
        for (int guard = 0; at != 0 && guard < 20; ++guard) {
            const auto field = [&](uint32_t offset) {
                return m_function.readConfiguration(static_cast<uint8_t>(at + offset), Width::Dword);
            };
            const uint32_t type = field(0) >> 24;
            if ((field(0) & 0xff) == 9 && type < m_parts.size())
                m_parts[type] = window + field(8);
            if (type == 2)
                m_notifyMultiplier = field(16);
            at = field(0) >> 8 & 0xff;
        }
    }
    uint32_t part(unsigned type) const { return m_parts[type]; } // 1 common, 2 notify, 3 ISR, 4 device
    uint32_t notifyMultiplier() const { return m_notifyMultiplier; }

    uint32_t read(uint32_t offset, unsigned size)
    {
        return static_cast<uint32_t>(m_mmio.read(m_parts[1] + offset, size));
    }
    void write(uint32_t offset, unsigned size, uint32_t value) { m_mmio.write(m_parts[1] + offset, size, value); }
    uint8_t status() { return static_cast<uint8_t>(read(DeviceStatus, 1)); }
    void setStatus(unsigned value) { write(DeviceStatus, 1, value); }
    uint8_t interruptStatus() { return static_cast<uint8_t>(m_mmio.read(m_parts[3], 1)); }
    uint8_t deviceByte(uint32_t offset) { return static_cast<uint8_t>(m_mmio.read(m_parts[4] + offset, 1)); }

    uint64_t offeredFeatures()
    {
        uint64_t features = 0;
        for (uint32_t half = 0; half < 2; ++half) {
            write(DeviceFeatureSelect, 4, half);
            features |= uint64_t { read(DeviceFeature, 4) } << (32 * half);
        }
        return features;
    }
    // Returns whether the device accepted them.
    bool accept(uint64_t features)
    {
        setStatus(0);
        setStatus(Acknowledge);
        setStatus(Acknowledge | Driver);
        for (uint32_t half = 0; half < 2; ++half) {
            write(DriverFeatureSelect, 4, half);
            write(DriverFeature, 4, static_cast<uint32_t>(features >> (32 * half)));
        }
        setStatus(Acknowledge | Driver | FeaturesOk);
        return status() & FeaturesOk;
    }
    void setUp(uint16_t queue, const DriverRing& ring, uint16_t size)
    {
        setUp(queue, ring.descriptors(), ring.available(), ring.used(), size);
    }
    void setUp(uint16_t queue, uint64_t descriptors, uint64_t available, uint64_t used, uint16_t size)
    {
        write(QueueSelect, 2, queue);
        write(QueueSize, 2, size);
        for (const auto& [offset, area] :
            { std::pair(QueueDesc, descriptors), std::pair(QueueDriver, available), std::pair(QueueDevice, used) }) {
            write(offset, 4, static_cast<uint32_t>(area));
            write(offset + 4u, 4, static_cast<uint32_t>(area >> 32));
        }
        write(QueueEnable, 2, 1);
    }
    void go() { setStatus(Acknowledge | Driver | FeaturesOk | DriverOk); }
    void notify(uint16_t queue) { m_mmio.write(m_parts[2] + queue * m_notifyMultiplier, 2, queue); }

private:
    MmioBus& m_mmio;
    PciFunction& m_function;
    std::array<uint32_t, 5> m_parts {};
    uint32_t m_notifyMultiplier = 0;
};

} // namespace namsan
