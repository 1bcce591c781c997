// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/devices/pci/pci_configuration_space.h"
#include "vmm/devices/pci/pci_function.h"

namespace namsan {

// The host bridge: Intel 82441FX (440FX), function 0 of device 0. Its registers for memory (PAM, DRAM rows, SMRAM) are
// stored and have no effect: C0000-FFFFF is RAM on this board.
// Intel 440FX PCIset datasheet (290549-001), 3.2.
class HostBridge final : public Device, public PciFunction {
public:
    HostBridge();

    uint32_t readConfiguration(uint8_t offset, Width width) override { return m_space.read(offset, width); }
    void writeConfiguration(uint8_t offset, Width width, uint32_t value) override
    {
        m_space.write(offset, width, value);
    }

    std::string_view name() const override { return "PCI host bridge"; }
    void reset() override { m_space.reset(); }
    void save(StateWriter& state) const override { m_space.save(state); }
    Result<void> restore(StateReader& state) override { return m_space.restore(state, name()); }

private:
    PciConfigurationSpace m_space;
};

} // namespace namsan
