// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/irq_line.h"
#include "vmm/board/port_bus.h"

namespace namsan {

// How the AT reports numeric errors: the processor's FERR# becomes IRQ 13, and a write to port F0 ends the interrupt
// and asserts IGNNE#, so that the handler can use the coprocessor, until FERR# goes. IBM PC/AT Technical Reference
// (1984), "Math Coprocessor Control"; Intel PIIX4 (290562), 4.3.5.
class CoprocessorErrorPort final : public Device, public PortHandler {
public:
    static constexpr Port clearBusy = 0xf0;
    static constexpr Port resetCoprocessor = 0xf1;

    CoprocessorErrorPort(PortBus&, IrqLine irq13);

    // FERR#, from the processor; true is asserted.
    void setNumericError(bool asserted);
    // IGNNE#, to the processor; true is asserted.
    bool ignoresNumericError() const { return m_ignoreNumericError; }

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "coprocessor error port"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    IrqLine m_irq13;
    bool m_numericError = false;
    bool m_ignoreNumericError = false;
};

} // namespace namsan
