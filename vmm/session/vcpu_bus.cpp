// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/vcpu_bus.h"

namespace namsan {

// While this lives, the others need not wait for this vCPU.
class VcpuBus::Away {
public:
    explicit Away(const VcpuBus& bus)
        : m_bus(bus)
    {
        if (m_bus.m_group)
            m_bus.m_group->beginBusAccess(m_bus.m_index);
    }
    ~Away()
    {
        if (m_bus.m_group)
            m_bus.m_group->endBusAccess(m_bus.m_index);
    }
    Away(const Away&) = delete;
    Away& operator=(const Away&) = delete;

private:
    const VcpuBus& m_bus;
};

uint32_t VcpuBus::portIn(Port port, Width width)
{
    const Away away(*this);
    return m_board.portIn(port, width);
}

void VcpuBus::portOut(Port port, Width width, uint32_t value)
{
    const Away away(*this);
    m_board.portOut(port, width, value);
}

uint64_t VcpuBus::mmioRead(PhysicalAddress address, unsigned size)
{
    if (m_apics && m_apics->ownsAddress(m_index, address))
        return m_apics->read(m_index, address, size);
    const Away away(*this);
    return m_board.mmioRead(address, size);
}

void VcpuBus::mmioWrite(PhysicalAddress address, unsigned size, uint64_t value)
{
    if (m_apics && m_apics->ownsAddress(m_index, address)) {
        if (const auto ended = m_apics->write(m_index, address, size, value))
            endOfInterrupt(*ended);
        return;
    }
    const Away away(*this);
    m_board.mmioWrite(address, size, value);
}

uint8_t VcpuBus::acknowledgeInterrupt()
{
    if (m_apics)
        if (const auto vector = m_apics->acknowledge(m_index))
            return *vector;
    const Away away(*this);
    return m_board.acknowledgeInterrupt();
}

void VcpuBus::endOfInterrupt(uint8_t vector)
{
    const Away away(*this);
    m_board.endOfInterrupt(vector);
}

std::optional<uint64_t> VcpuBus::readMsr(uint32_t number)
{
    return m_apics->readMsr(m_index, number);
}

bool VcpuBus::writeMsr(uint32_t number, uint64_t value)
{
    const LocalApics::MsrWrite write = m_apics->writeMsr(m_index, number, value);
    if (write.endOfInterrupt)
        endOfInterrupt(*write.endOfInterrupt);
    return write.done;
}

} // namespace namsan
