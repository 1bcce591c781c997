// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/serial_line.h"

#include <algorithm>
#include <array>

namespace namsan {

SerialLine::SerialLine(Timers& timers, std::function<void()> onOutput)
    : m_onOutput(std::move(onOutput))
    , m_patience(timers, [this] { announce(); })
{
}

void SerialLine::guestSent(Uart16550& port, uint8_t byte)
{
    if (m_output.size() >= outputCapacity + outputSlack)
        return;
    m_output.push_back(byte);
    if (m_output.size() == outputCapacity)
        port.holdTransmitter(true);
    if (byte == '\n' || m_output.size() >= pieceSize)
        announce();
    else if (!m_announced && !m_patience.armed())
        m_patience.armIn(longestWait);
}

void SerialLine::announce()
{
    if (!std::exchange(m_announced, true))
        m_onOutput();
}

std::vector<uint8_t> SerialLine::takeOutput(Uart16550& port)
{
    m_patience.cancel();
    m_announced = false;
    std::vector<uint8_t> taken = std::exchange(m_output, {});
    port.holdTransmitter(false);
    return taken;
}

void SerialLine::sendToGuest(Uart16550& port, std::span<const uint8_t> bytes)
{
    const size_t room = inputCapacity - m_input.size();
    m_input.insert(
        m_input.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(room, bytes.size())));
    feed(port);
}

void SerialLine::feed(Uart16550& port)
{
    std::array<uint8_t, 16> piece;
    while (!m_input.empty()) {
        const size_t count = std::min(piece.size(), m_input.size());
        std::copy_n(m_input.begin(), count, piece.begin());
        const size_t taken = port.receive(std::span(piece).first(count));
        m_input.erase(m_input.begin(), m_input.begin() + static_cast<std::ptrdiff_t>(taken));
        if (taken < count)
            return;
    }
}

} // namespace namsan
