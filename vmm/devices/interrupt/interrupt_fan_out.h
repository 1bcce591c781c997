// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/irq_line.h"
#include "vmm/devices/pci/pci_interrupts.h"

namespace namsan {

// The AT's interrupt wires, each of which ends at the 8259s and at the I/O APIC. The timer's goes to input 2 there,
// where the 8259s have their cascade; the 8259s' own output has input 0. Intel MP specification 1.4, 3.6.2.3.
class IsaInterrupts final : public InterruptSink {
public:
    static constexpr unsigned timerIrq = 0;
    static constexpr unsigned timerInput = 2;

    IsaInterrupts(InterruptSink& pic, InterruptSink& ioApic)
        : m_pic(pic)
        , m_ioApic(ioApic)
    {
    }
    void setInterruptInput(unsigned irq, bool level) override
    {
        m_pic.setInterruptInput(irq, level);
        if (irq != timerInput)
            m_ioApic.setInterruptInput(irq == timerIrq ? timerInput : irq, level);
    }

private:
    InterruptSink& m_pic;
    InterruptSink& m_ioApic;
};

// The 8259s' output: to the processor, and to the I/O APIC's input 0.
class PicOutput final : public InterruptSink {
public:
    PicOutput(InterruptSink& processor, InterruptSink& ioApic)
        : m_processor(processor)
        , m_ioApic(ioApic)
    {
    }
    void setInterruptInput(unsigned, bool level) override
    {
        m_processor.setInterruptInput(0, level);
        m_ioApic.setInterruptInput(0, level);
    }

private:
    InterruptSink& m_processor;
    InterruptSink& m_ioApic;
};

// The wires that all PCI devices share, at the I/O APIC's inputs 16 to 19. PCI's wires are active low, and the I/O APIC
// sees them as they are: its inputs are high while nobody asserts a wire. PCI 2.1, 2.2.6; MP specification 1.4, D.3.
class IoApicPciInputs final : public InterruptSink {
public:
    static constexpr unsigned firstInput = 16;
    // pin 0 is INTA#.
    static constexpr unsigned inputOf(unsigned device, unsigned pin)
    {
        return firstInput + PciInterrupts::wireOf(device, pin);
    }

    explicit IoApicPciInputs(InterruptSink& ioApic)
        : m_ioApic(ioApic)
    {
        for (unsigned wire = 0; wire < PciInterrupts::wires; ++wire)
            setInterruptInput(wire, false);
    }
    void setInterruptInput(unsigned wire, bool asserted) override
    {
        m_ioApic.setInterruptInput(firstInput + wire, !asserted);
    }

private:
    InterruptSink& m_ioApic;
};

} // namespace namsan
