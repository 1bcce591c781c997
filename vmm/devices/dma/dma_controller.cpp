// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/dma/dma_controller.h"

namespace namsan {

namespace {
constexpr Port firstByteChannelPort = 0x00;
constexpr Port lastByteChannelPort = 0x0f;
constexpr Port firstPagePort = 0x81; // 80 belongs to the same chip, but firmware uses it for its checkpoints
constexpr Port lastPagePort = 0x8f;
constexpr Port firstWordChannelPort = 0xc0;
constexpr Port lastWordChannelPort = 0xdf;

unsigned wordChannelRegister(Port port)
{
    return (port - firstWordChannelPort) / 2u; // address line 0 isn't connected
}
} // namespace

DmaController::DmaController(PortBus& ports)
{
    ports.claim(firstByteChannelPort, lastByteChannelPort, *this);
    ports.claim(firstPagePort, lastPagePort, *this);
    ports.claim(firstWordChannelPort, lastWordChannelPort, *this);
}

uint32_t DmaController::portIn(Port port, Width)
{
    if (port <= lastByteChannelPort)
        return m_byteChannels.read(port);
    if (port >= firstWordChannelPort)
        return m_wordChannels.read(wordChannelRegister(port));
    return m_pages[port & 15];
}

void DmaController::portOut(Port port, Width, uint32_t value)
{
    const auto byte = static_cast<uint8_t>(value);
    if (port <= lastByteChannelPort)
        m_byteChannels.write(port, byte);
    else if (port >= firstWordChannelPort)
        m_wordChannels.write(wordChannelRegister(port), byte);
    else
        m_pages[port & 15] = byte;
}

void DmaController::reset()
{
    m_byteChannels.reset();
    m_wordChannels.reset();
    m_pages = {};
}

void DmaController::save(StateWriter& state) const
{
    m_byteChannels.save(state);
    m_wordChannels.save(state);
    state.put(m_pages);
}

Result<void> DmaController::restore(StateReader& state)
{
    Dma8237 byteChannels;
    Dma8237 wordChannels;
    if (auto restored = byteChannels.restore(state, name()); !restored)
        return restored;
    if (auto restored = wordChannels.restore(state, name()); !restored)
        return restored;
    if (auto taken = state.takeInto(m_pages); !taken)
        return taken;
    m_byteChannels = byteChannels;
    m_wordChannels = wordChannels;
    return {};
}

} // namespace namsan
