// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/devices/serial/uart_16550.h"
#include "vmm/time/timers.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace namsan {

// The cable at a serial port: gathers what the guest sends into pieces worth handing over, and keeps what is to be sent
// to the guest until its FIFO has room. All calls under the board lock.
class SerialLine {
public:
    static constexpr size_t inputCapacity = 1 << 20; // bytes; what does not fit is dropped
    static constexpr size_t pieceSize = 512; // bytes that are handed over without waiting for a line's end
    static constexpr GuestTime longestWait = std::chrono::milliseconds(5);

    // onOutput: there is something for takeOutput(). Called under the board lock.
    SerialLine(Timers&, std::function<void()> onOutput);

    void guestSent(uint8_t byte);
    std::vector<uint8_t> takeOutput();

    void sendToGuest(Uart16550&, std::span<const uint8_t>);
    void feed(Uart16550&); // the guest has taken something

private:
    std::function<void()> m_onOutput;
    Timer m_patience;
    std::vector<uint8_t> m_output;
    std::deque<uint8_t> m_input;
};

} // namespace namsan
