// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/serial_line.h"

#include <algorithm>
#include <array>

namespace namsan {

SerialLine::SerialLine(Timers& timers, std::function<void()> onOutput)
    : m_onOutput(std::move(onOutput))
    , m_patience(timers, [this] { m_onOutput(); })
{
}

void SerialLine::guestSent(uint8_t byte)
{
    m_output.push_back(byte);
    if (byte == '\n' || m_output.size() == pieceSize)
        m_onOutput();
    else if (!m_patience.armed())
        m_patience.armIn(longestWait);
}

std::vector<uint8_t> SerialLine::takeOutput()
{
    m_patience.cancel();
    return std::exchange(m_output, {});
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
