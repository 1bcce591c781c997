// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/input/fast_reset_port.h"

#include "vmm/board/gate_a20.h"
#include "vmm/board/reset_line.h"

namespace namsan {

FastResetPort::FastResetPort(PortBus& ports, GateA20& gateA20, ResetLine& resetLine)
    : m_gateA20(gateA20)
    , m_resetLine(resetLine)
{
    ports.claim(address, *this);
}

uint32_t FastResetPort::portIn(Port, Width)
{
    return m_value;
}

void FastResetPort::portOut(Port, Width, uint32_t value)
{
    const auto written = static_cast<uint8_t>(value);
    const bool resetRises = written & ~m_value & fastReset;
    m_value = written;
    m_gateA20.setFastGate(m_value & alternateGateA20);
    // Only the edge counts: a guest that reads the port, sets the gate and writes all of it back means no reset.
    if (resetRises)
        m_resetLine.pulse();
}

void FastResetPort::reset()
{
    m_value = 0;
    m_gateA20.setFastGate(false);
}

void FastResetPort::save(StateWriter& state) const
{
    state.put(m_value);
}

Result<void> FastResetPort::restore(StateReader& state)
{
    if (auto taken = state.takeInto(m_value); !taken)
        return taken;
    m_gateA20.setFastGate(m_value & alternateGateA20);
    return {};
}

} // namespace namsan
