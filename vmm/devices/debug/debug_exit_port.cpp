// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/debug/debug_exit_port.h"

namespace namsan {

DebugExitPort::DebugExitPort(PortBus& ports, Channel<DebugExit>& exits)
    : m_exits(exits)
{
    ports.claim(address, address + 3, *this, Width::Dword);
}

void DebugExitPort::portOut(Port, Width width, uint32_t value)
{
    m_exits.send({ value & allOnes(width) });
}

} // namespace namsan
