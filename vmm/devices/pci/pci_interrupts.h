// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/irq_line.h"

#include <array>
#include <cstdint>
#include <vector>

namespace namsan {

// The interrupt pins of all PCI devices and the four wires that they share: PIRQA# to PIRQD#. A wire is asserted while
// any pin on it is. Who listens decides what a wire means: the ISA bridge makes an IRQ of it, an I/O APIC an input.
//
// Its inputs are devices' pins, for an IrqLine; it calls its listeners with the inputs 0 to 3 for PIRQA# to PIRQD#, and
// true for asserted (the wires themselves are active low). All calls under the board lock. PCI 2.1, 2.2.6.
class PciInterrupts final : public InterruptSink {
public:
    static constexpr unsigned wires = 4;

    // pin 0 is INTA#.
    static constexpr unsigned inputOf(unsigned device, unsigned pin) { return device * wires + pin; }
    // Neighbouring devices begin with neighbouring wires, so that their INTA# spread; the same as on boards with the
    // 440FX, which firmware takes for granted (SeaBIOS, ACPI's _PRT).
    static constexpr unsigned wireOf(unsigned device, unsigned pin) { return (device + pin + wires - 1) % wires; }

    // While the board is built; the listener outlives the wires' use.
    void connect(InterruptSink& listener) { m_listeners.push_back(&listener); }

    void setInterruptInput(unsigned input, bool level) override
    {
        const unsigned device = input / wires;
        const unsigned wire = wireOf(device, input % wires);
        const bool before = m_asserting[wire] != 0;
        // A device has one pin on each wire.
        const uint32_t mask = uint32_t { 1 } << (device % 32);
        m_asserting[wire] = level ? m_asserting[wire] | mask : m_asserting[wire] & ~mask;
        const bool after = m_asserting[wire] != 0;
        if (after == before)
            return;
        for (InterruptSink* listener : m_listeners)
            listener->setInterruptInput(wire, after);
    }

private:
    std::array<uint32_t, wires> m_asserting {}; // by device
    std::vector<InterruptSink*> m_listeners;
};

} // namespace namsan
