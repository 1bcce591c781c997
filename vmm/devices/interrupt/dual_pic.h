// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/irq_line.h"
#include "vmm/board/port_bus.h"
#include "vmm/devices/interrupt/pic_8259.h"

namespace namsan {

// The two 8259A of the PC/AT, the second one on input 2 of the first, with the edge/level registers of the PIIX4.
// Interrupt inputs 0-15 are the AT's IRQ numbers; input 2 is the cascade, and nobody else's.
// IBM PC/AT Technical Reference (1984), "System Interrupts"; Intel PIIX4 (290562), 4.2 and 8.4.
class DualPic final : public Device, public PortHandler, public InterruptSink {
public:
    static constexpr unsigned cascadeInput = 2;

    // processor's input 0 is the INTR pin.
    DualPic(PortBus&, InterruptSink& processor);

    void setInterruptInput(unsigned input, bool level) override;

    // The INTR pin.
    bool interruptRequested() const { return m_interruptPin.level(); }

    // The processor's INTA cycle: the vector of the request of highest priority, or of IRQ 7 or IRQ 15 where it has
    // gone in the meantime (a spurious interrupt).
    uint8_t acknowledge();

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "interrupt controller pair"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    void driveOutputs();

    IrqLine m_interruptPin;
    Pic8259 m_master { Pic8259::Position::Master };
    Pic8259 m_slave { Pic8259::Position::Slave };
};

} // namespace namsan
