// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/gate_a20.h"
#include "vmm/board/guest_memory.h"
#include "vmm/board/mmio_bus.h"
#include "vmm/board/port_bus.h"
#include "vmm/board/reset_line.h"
#include "vmm/time/timers.h"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace namsan {

class Motherboard;

// Whose thread sleeps until there is news from inside the board.
class BoardSleeper {
public:
    virtual ~BoardSleeper() = default;

    // Wakes the thread. Called outside the board, on the thread that has just left it.
    virtual void wakeUp() = 0;

private:
    friend class Motherboard;
    bool m_called = false;
};

// The proof that the calling thread is the one inside the board. Hold it shortly and wait for nothing meanwhile.
class Held {
public:
    Held(Held&&) = default;
    ~Held();

private:
    friend class Motherboard;
    Held(Motherboard& board, std::mutex& lock)
        : m_board(&board)
        , m_guard(lock)
    {
    }

    Motherboard* m_board;
    std::unique_lock<std::mutex> m_guard;
};

// What devices are plugged into: buses, memory, timers, lines, and the one lock that protects them all.
class Motherboard {
public:
    Motherboard(GuestMemory&, const Clock&);

    // Waits for the board lock. Any thread.
    Held enter() { return Held(*this, m_lock); }

    // Wakes someone as soon as the board is left: a thread woken earlier would only run into the lock. From inside the
    // board; the sleeper outlives the board's use.
    void wakeWhenLeft(BoardSleeper&);

    PortBus& ports(const Held&) { return m_ports; }
    MmioBus& mmio(const Held&) { return m_mmio; }
    Timers& timers(const Held&) { return m_timers; }
    GateA20& gateA20(const Held&) { return m_gateA20; }
    ResetLine& resetLine(const Held&) { return m_resetLine; }
    GuestMemory& memory() { return m_memory; }

    // Makes a device that the board owns from now on. Devices are reset, saved and restored in this order.
    template <class D, class... Arguments> D& add(const Held&, Arguments&&... arguments)
    {
        auto device = std::make_unique<D>(std::forward<Arguments>(arguments)...);
        D& reference = *device;
        m_devices.push_back(std::move(device));
        return reference;
    }

    void reset(const Held&);
    void save(const Held&, StateWriter&) const;
    // Fails for a snapshot of a board with other devices. After a failure some devices may be restored and others not:
    // reset the board before it runs.
    Result<void> restore(const Held&, StateReader&);

private:
    friend class Held;
    void leave(std::unique_lock<std::mutex>&);
    static constexpr size_t wokenAtOnce = 8;

    std::mutex m_lock;
    std::vector<BoardSleeper*> m_toWake;
    GuestMemory& m_memory;
    PortBus m_ports;
    MmioBus m_mmio;
    Timers m_timers;
    GateA20 m_gateA20;
    ResetLine m_resetLine;
    std::vector<std::unique_ptr<Device>> m_devices; // gone before what they are wired to
};

} // namespace namsan
