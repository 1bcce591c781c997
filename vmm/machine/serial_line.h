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
//
// Whoever takes the output may be slow (a pipe that nobody reads). When much waits for him, the port's transmitter is
// held up until he has taken it, so a guest that looks before it sends loses nothing, and one that doesn't fills no
// memory.
class SerialLine {
public:
    static constexpr size_t inputCapacity = 1 << 20; // bytes; what does not fit is dropped
    static constexpr size_t outputCapacity = 1 << 16; // bytes, at which the transmitter is held up
    static constexpr size_t outputSlack = 64; // further bytes of a burst that had begun; what comes on top is lost
    static constexpr size_t pieceSize = 512; // bytes that are handed over without waiting for a line's end
    static constexpr GuestTime longestWait = std::chrono::milliseconds(5);

    // onOutput: there is something for takeOutput(); told once until it is taken. Called under the board lock.
    SerialLine(Timers&, std::function<void()> onOutput);

    void guestSent(Uart16550&, uint8_t byte);
    std::vector<uint8_t> takeOutput(Uart16550&);

    void sendToGuest(Uart16550&, std::span<const uint8_t>);
    void feed(Uart16550&); // the guest has taken something

private:
    void announce();

    std::function<void()> m_onOutput;
    Timer m_patience;
    std::vector<uint8_t> m_output;
    bool m_announced = false;
    std::deque<uint8_t> m_input;
};

} // namespace namsan
