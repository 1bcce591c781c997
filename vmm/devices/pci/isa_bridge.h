// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/devices/pci/pci_configuration_space.h"
#include "vmm/devices/pci/pci_function.h"

namespace namsan {

// The bridge to the ISA devices: Intel 82371SB (PIIX3), function 0 of device 1. Its registers are stored; no PCI
// interrupt is routed yet. Intel 82371FB/82371SB datasheet (290550-002), 2.2.
class IsaBridge final : public Device, public PciFunction {
public:
    IsaBridge();

    uint32_t readConfiguration(uint8_t offset, Width width) override { return m_space.read(offset, width); }
    void writeConfiguration(uint8_t offset, Width width, uint32_t value) override
    {
        m_space.write(offset, width, value);
    }

    std::string_view name() const override { return "PCI to ISA bridge"; }
    void reset() override { m_space.reset(); }
    void save(StateWriter& state) const override { m_space.save(state); }
    Result<void> restore(StateReader& state) override { return m_space.restore(state, name()); }

private:
    PciConfigurationSpace m_space;
};

} // namespace namsan
