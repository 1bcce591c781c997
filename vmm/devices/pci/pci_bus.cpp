// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/pci/pci_bus.h"

#include "vmm/base/bits.h"
#include "vmm/devices/acpi/reset_control_port.h"

#include <cassert>

namespace namsan {

namespace {

// CONFIG_ADDRESS. PCI 2.1, figure 3-21. Reserved bits read as 0.
constexpr uint32_t enable = 1u << 31;
constexpr uint32_t implemented = enable | 0x00fffffc;

} // namespace

PciBus::PciBus(PortBus& ports, PortHandler& resetControl)
    : m_resetControl(resetControl)
{
    ports.claim(addressPort, addressPort + 3, m_addressPort, Width::Dword);
    ports.claim(dataPort, dataPort + 3, m_dataPort, Width::Dword);
}

void PciBus::attach(unsigned device, unsigned function, PciFunction& handler)
{
    assert(device < 32 && function < 8);
    PciFunction*& place = m_functions[device * 8 + function];
    assert(!place && "two functions in one place");
    place = &handler;
}

PciFunction* PciBus::addressed() const
{
    const bool thisBus = bits(m_address, 16, 8) == 0;
    if (!(m_address & enable) || !thisBus)
        return nullptr;
    return m_functions[bits(m_address, 8, 8)];
}

uint8_t PciBus::offsetOf(Port port) const
{
    return static_cast<uint8_t>(bits(m_address, 0, 8) + (port - dataPort));
}

uint32_t PciBus::AddressPort::portIn(Port port, Width width)
{
    if (width == Width::Dword)
        return m_bus.m_address;
    if (width == Width::Byte && port == ResetControlPort::address)
        return m_bus.m_resetControl.portIn(port, width);
    return allOnes(width);
}

void PciBus::AddressPort::portOut(Port port, Width width, uint32_t value)
{
    if (width == Width::Dword)
        m_bus.m_address = value & implemented;
    else if (width == Width::Byte && port == ResetControlPort::address)
        m_bus.m_resetControl.portOut(port, width, value);
}

uint32_t PciBus::DataPort::portIn(Port port, Width width)
{
    PciFunction* function = m_bus.addressed();
    return function ? function->readConfiguration(m_bus.offsetOf(port), width) : allOnes(width);
}

void PciBus::DataPort::portOut(Port port, Width width, uint32_t value)
{
    if (PciFunction* function = m_bus.addressed())
        function->writeConfiguration(m_bus.offsetOf(port), width, value);
}

void PciBus::reset()
{
    m_address = 0;
}

void PciBus::save(StateWriter& state) const
{
    state.put(m_address);
}

Result<void> PciBus::restore(StateReader& state)
{
    const auto address = state.take<uint32_t>();
    if (!address)
        return address.error();
    if (*address & ~implemented)
        return StateReader::impossible(name());
    m_address = *address;
    return {};
}

} // namespace namsan
