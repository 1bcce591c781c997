// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/irq_line.h"
#include "vmm/board/mmio_bus.h"
#include "vmm/devices/pci/bar_window.h"
#include "vmm/devices/pci/pci_configuration_space.h"
#include "vmm/devices/pci/pci_function.h"
#include "vmm/devices/virtio/virtio_model.h"
#include "vmm/devices/virtio/virtqueue.h"

#include <deque>

namespace namsan {

// A virtio device as a PCI function: configuration space with the capabilities that tell where everything is, one
// memory BAR with the registers, one interrupt pin. VIRTIO 1.2, 4.1; not transitional, so without the legacy interface.
class VirtioPciFunction final : public PciFunction, public MmioHandler {
public:
    struct Identity {
        uint16_t deviceType; // 1 is a network card (chapter 5)
        uint32_t classCode; // PCI's
        unsigned queues;
    };

    // irq is the function's INTA#.
    VirtioPciFunction(MmioBus&, GuestMemory&, IrqLine& irq, const Identity&, VirtioModel&);

    Virtqueue& queue(unsigned index) { return m_queues[index]; }
    // The features that driver and device agreed upon; 0 before.
    uint64_t features() const { return m_status & featuresOk ? m_driverFeatures : 0; }
    // The driver has set the device up, and the bus lets it reach memory.
    bool running() const;
    // The driver broke the rules: nothing works until it resets the device. 2.1.2.
    void needReset();
    void raiseQueueInterrupt();

    uint32_t readConfiguration(uint8_t offset, Width) override;
    void writeConfiguration(uint8_t offset, Width, uint32_t value) override;
    uint64_t mmioRead(PhysicalAddress, unsigned size) override;
    void mmioWrite(PhysicalAddress, unsigned size, uint64_t value) override;

    void reset(); // the bus's, so the configuration space's, too
    void save(StateWriter&) const;
    // Leaves everything as it was where it fails.
    Result<void> restore(StateReader&, std::string_view device);

private:
    // Device status, 2.1.
    static constexpr uint8_t driverOk = 1 << 2;
    static constexpr uint8_t featuresOk = 1 << 3;
    static constexpr uint8_t deviceNeedsReset = 1 << 6;

    uint8_t addCapability(uint8_t at, uint8_t type, uint8_t length, uint32_t offset, uint32_t size);
    void commandWritten();
    void driveInterrupt();
    uint64_t offeredFeatures() const;

    uint64_t readWindow(uint32_t offset, unsigned size);
    void writeWindow(uint32_t offset, unsigned size, uint64_t value);
    uint32_t readCommon(uint32_t offset) const;
    void writeCommon(uint32_t offset, uint32_t value);
    uint32_t readQueueRegister(uint32_t offset) const;
    void writeQueueRegister(uint32_t offset, uint32_t value);
    void writeStatus(uint8_t value);
    void resetByDriver();
    void notify(unsigned queue);

    PciConfigurationSpace m_space;
    MemoryBarWindow m_window;
    IrqLine& m_irq;
    VirtioModel& m_model;
    std::deque<Virtqueue> m_queues;

    uint64_t m_driverFeatures = 0;
    uint32_t m_deviceFeatureSelect = 0;
    uint32_t m_driverFeatureSelect = 0;
    uint16_t m_queueSelect = 0;
    uint8_t m_status = 0;
    uint8_t m_interruptStatus = 0; // 4.1.4.5
};

} // namespace namsan
