// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/interrupt/coprocessor_error_port.h"

namespace namsan {

CoprocessorErrorPort::CoprocessorErrorPort(PortBus& ports, IrqLine irq13)
    : m_irq13(irq13)
{
    ports.claim(clearBusy, resetCoprocessor, *this);
}

void CoprocessorErrorPort::setNumericError(bool asserted)
{
    if (asserted && !m_numericError)
        m_irq13.raise();
    // IRQ 13 is a latch that only port F0 or a reset clears; IGNNE# falls with FERR#.
    m_numericError = asserted;
    m_ignoreNumericError = m_ignoreNumericError && asserted;
}

uint32_t CoprocessorErrorPort::portIn(Port, Width)
{
    return allOnes(Width::Byte); // both are write-only
}

void CoprocessorErrorPort::portOut(Port port, Width, uint32_t)
{
    // What is written doesn't matter. F1 pulled the 80287's reset pin and so took its error away; processors with their
    // own numeric unit leave that unconnected, and only the latch is cleared.
    m_irq13.lower();
    if (port == clearBusy)
        m_ignoreNumericError = m_numericError;
}

void CoprocessorErrorPort::reset()
{
    m_numericError = false;
    m_ignoreNumericError = false;
    m_irq13.lower();
}

void CoprocessorErrorPort::save(StateWriter& state) const
{
    state.put(m_numericError, m_ignoreNumericError, m_irq13.level());
}

Result<void> CoprocessorErrorPort::restore(StateReader& state)
{
    bool numericError = false;
    bool ignoreNumericError = false;
    bool irq13 = false;
    if (auto taken = state.takeInto(numericError, ignoreNumericError, irq13); !taken)
        return taken;
    if (ignoreNumericError && !numericError)
        return StateReader::impossible(name());
    m_numericError = numericError;
    m_ignoreNumericError = ignoreNumericError;
    m_irq13.set(irq13);
    return {};
}

} // namespace namsan
