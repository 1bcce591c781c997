// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/port_bus.h"
#include "vmm/devices/pci/pci_function.h"

#include <array>

namespace namsan {

// The root bus, reached by configuration mechanism 1: an address at CF8, data at CFC to CFF. PCI 2.1, 3.7.4.1.
//
// Only a dword access to CF8 is the address register's; narrower ones are ordinary cycles on the bus, of which the
// reset control register takes the byte at CF9. There are no buses behind bridges; what is not there reads as all ones.
class PciBus final : public Device {
public:
    static constexpr Port addressPort = 0xcf8;
    static constexpr Port dataPort = 0xcfc;

    PciBus(PortBus&, PortHandler& resetControl);

    // While the board is built. The function outlives the bus; attaching two in one place is a programmer's mistake
    // (asserted). device 0 to 31, function 0 to 7.
    void attach(unsigned device, unsigned function, PciFunction&);

    std::string_view name() const override { return "PCI bus"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    class AddressPort final : public PortHandler {
    public:
        explicit AddressPort(PciBus& bus)
            : m_bus(bus)
        {
        }
        uint32_t portIn(Port, Width) override;
        void portOut(Port, Width, uint32_t value) override;

    private:
        PciBus& m_bus;
    };
    class DataPort final : public PortHandler {
    public:
        explicit DataPort(PciBus& bus)
            : m_bus(bus)
        {
        }
        uint32_t portIn(Port, Width) override;
        void portOut(Port, Width, uint32_t value) override;

    private:
        PciBus& m_bus;
    };

    PciFunction* addressed() const;
    uint8_t offsetOf(Port) const;

    AddressPort m_addressPort { *this };
    DataPort m_dataPort { *this };
    PortHandler& m_resetControl;
    std::array<PciFunction*, 256> m_functions {}; // by device * 8 + function
    uint32_t m_address = 0;
};

} // namespace namsan
