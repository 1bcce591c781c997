// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/post_code_port.h"

namespace namsan {

PostCodePort::PostCodePort(PortBus& ports)
{
    ports.claim(address, *this);
}

uint32_t PostCodePort::portIn(Port, Width)
{
    return m_code;
}

void PostCodePort::portOut(Port, Width, uint32_t value)
{
    m_code = static_cast<uint8_t>(value);
}

void PostCodePort::reset()
{
    m_code = 0;
}

void PostCodePort::save(StateWriter& state) const
{
    state.put(m_code);
}

Result<void> PostCodePort::restore(StateReader& state)
{
    return state.takeInto(m_code);
}

} // namespace namsan
