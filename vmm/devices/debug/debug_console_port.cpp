// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/debug/debug_console_port.h"

namespace namsan {

DebugConsolePort::DebugConsolePort(PortBus& ports, Port address, std::string_view name, Channel<DebugOutput>& output)
    : m_name(name)
    , m_output(output)
{
    ports.claim(address, *this);
}

void DebugConsolePort::portOut(Port port, Width, uint32_t value)
{
    m_output.send({ port, static_cast<uint8_t>(value) });
}

} // namespace namsan
