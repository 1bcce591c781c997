// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/irq_line.h"
#include "vmm/devices/pci/pci_configuration_space.h"
#include "vmm/devices/pci/pci_function.h"

#include <array>

namespace namsan {

// The bridge to the ISA devices: Intel 82371SB (PIIX3), function 0 of device 1. It makes IRQs of the PCI interrupt
// wires, as its PIRQ route control registers say; its other registers are stored.
// Intel 82371FB/82371SB datasheet (290550-002), 2.2.
class IsaBridge final : public Device, public PciFunction, public InterruptSink {
public:
    static constexpr uint8_t pirqRouteControl = 0x60; // PIRQA# to PIRQD#, 2.2.10

    // interruptController's inputs are the AT's IRQ numbers.
    explicit IsaBridge(InterruptSink& interruptController);

    // The PCI interrupt wires, 0 for PIRQA# to 3 for PIRQD#.
    void setInterruptInput(unsigned wire, bool asserted) override;

    uint32_t readConfiguration(uint8_t offset, Width width) override { return m_space.read(offset, width); }
    void writeConfiguration(uint8_t offset, Width, uint32_t value) override;

    std::string_view name() const override { return "PCI to ISA bridge"; }
    void reset() override;
    void save(StateWriter& state) const override { m_space.save(state); }
    Result<void> restore(StateReader&) override;

private:
    static constexpr unsigned irqs = 16;

    void route();

    PciConfigurationSpace m_space;
    InterruptSink& m_interruptController;
    std::array<bool, 4> m_asserted {}; // the wires, which are not this device's state
    std::array<bool, irqs> m_driven {}; // what the interrupt controller was told
};

} // namespace namsan
