// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/pci/bar_window.h"

namespace namsan {

void MemoryBarWindow::moveTo(std::optional<uint32_t> address)
{
    if (address == m_address)
        return;
    if (m_address)
        m_bus.release(*m_address);
    m_address.reset();
    if (!address || !m_bus.isFree(*address, m_size))
        return;
    m_bus.claim(*address, m_size, m_handler);
    m_address = address;
}

void IoBarWindow::moveTo(std::optional<uint32_t> address)
{
    if (address == m_address)
        return;
    const auto last = [this](uint32_t first) { return static_cast<Port>(first + m_size - 1); };
    if (m_address)
        m_bus.release(static_cast<Port>(*m_address), last(*m_address));
    m_address.reset();
    if (!address || *address > 0x10000 - m_size || !m_bus.isFree(static_cast<Port>(*address), last(*address)))
        return;
    m_bus.claim(static_cast<Port>(*address), last(*address), m_handler, m_widest);
    m_address = address;
}

} // namespace namsan
