// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/irq_line.h"

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

// The four wires that all PCI devices share, inputs 0 to 3 for PIRQA# to PIRQD#: to the I/O APIC's inputs 16 to 19, and
// to IRQ 10 and 11 of the 8259s, which are level triggered. Several devices may pull one wire, so it counts them.
class PciInterrupts final : public InterruptSink {
public:
    static constexpr unsigned wires = 4;
    static constexpr unsigned firstIoApicInput = 16;
    static constexpr unsigned irqOf(unsigned wire) { return wire % 2 ? 11 : 10; }
    // The wire of a device's pin (0 for INTA#): they take turns from slot to slot. PCI Local Bus 2.1, 2.2.6.
    static constexpr unsigned wireOf(unsigned slot, unsigned pin) { return (slot + pin) % wires; }

    PciInterrupts(InterruptSink& pic, InterruptSink& ioApic)
        : m_pic(pic)
        , m_ioApic(ioApic)
    {
    }
    void setInterruptInput(unsigned wire, bool level) override
    {
        unsigned& pulled = m_pulled[wire % wires];
        pulled = level ? pulled + 1 : pulled - 1;
        m_ioApic.setInterruptInput(firstIoApicInput + wire % wires, pulled > 0);
        const unsigned others = m_pulled[(wire + 2) % wires];
        m_pic.setInterruptInput(irqOf(wire), pulled + others > 0);
    }

private:
    InterruptSink& m_pic;
    InterruptSink& m_ioApic;
    unsigned m_pulled[wires] {};
};

} // namespace namsan
