// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/acpi/reset_control_port.h"

#include "vmm/board/reset_line.h"

namespace namsan {

ResetControlPort::ResetControlPort(ResetLine& resetLine)
    : m_resetLine(resetLine)
{
}

uint32_t ResetControlPort::portIn(Port, Width)
{
    return m_value;
}

void ResetControlPort::portOut(Port, Width, uint32_t value)
{
    const auto rising = static_cast<uint8_t>(value & ~m_value);
    m_value = static_cast<uint8_t>(value & (systemReset | resetProcessor));
    // Both kinds of reset are one line on this board.
    if (rising & resetProcessor)
        m_resetLine.pulse();
}

void ResetControlPort::reset()
{
    m_value = 0;
}

void ResetControlPort::save(StateWriter& state) const
{
    state.put(m_value);
}

Result<void> ResetControlPort::restore(StateReader& state)
{
    const auto value = state.take<uint8_t>();
    if (!value)
        return value.error();
    if (*value & ~(systemReset | resetProcessor))
        return StateReader::impossible(name());
    m_value = *value;
    return {};
}

} // namespace namsan
