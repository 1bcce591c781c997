// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/port_bus.h"
#include "vmm/devices/pci/pci_interrupts.h"

#include <array>

namespace namsan {

// Where it routes PIRQA# to PIRQD#, and what the ACPI tables tell of it: the two IRQs of the AT that nobody has.
inline constexpr std::array<uint8_t, PciInterrupts::wires> irqOfPciWire { 10, 10, 11, 11 };

// What a BIOS does with PCI devices before it starts an operating system: gives each base address register a place in
// the windows that the DSDT tells of, opens it, and leaves the IRQ of each interrupt pin in the interrupt line
// register, with the wires routed there and these IRQs level-triggered. Writes nothing where there is no device besides
// the bridges. PCI 2.1, 6.2.4 and 6.2.5.1.
void setUpPciDevices(PortBus&);

} // namespace namsan
