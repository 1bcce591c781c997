// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/gate_a20.h"
#include "vmm/board/guest_memory.h"
#include "vmm/board/irq_line.h"
#include "vmm/board/mmio_bus.h"
#include "vmm/board/port_bus.h"
#include "vmm/board/reset_line.h"
#include "vmm/time/timers.h"

#include <map>
#include <memory>
#include <vector>

namespace namsan {

// Remembers what its inputs were told: an interrupt controller for tests of devices.
class RecordingInterruptSink final : public InterruptSink {
public:
    void setInterruptInput(unsigned input, bool level) override
    {
        m_levels[input] = level;
        if (level)
            ++m_rises[input];
    }

    bool level(unsigned input) const
    {
        const auto found = m_levels.find(input);
        return found != m_levels.end() && found->second;
    }
    int rises(unsigned input) const
    {
        const auto found = m_rises.find(input);
        return found == m_rises.end() ? 0 : found->second;
    }

private:
    std::map<unsigned, bool> m_levels;
    std::map<unsigned, int> m_rises;
};

// A board with nothing on it, for the test of one device: buses, a clock that the test moves, wires that remember.
class BareBoard {
public:
    PortBus& ports() { return m_ports; }
    MmioBus& mmio() { return m_mmio; }
    GuestMemory& memory() { return *m_memory; } // 2 MiB
    Timers& timers() { return m_timers; }
    GateA20& gateA20() { return m_gateA20; }
    ResetLine& resetLine() { return m_resetLine; }
    RecordingInterruptSink& interrupts() { return m_interrupts; }
    GuestTime now() const { return m_clock.now(); }

    uint8_t in(Port port) { return static_cast<uint8_t>(m_ports.in(port, Width::Byte)); }
    void out(Port port, uint8_t value) { m_ports.out(port, Width::Byte, value); }

    // Lets time pass, running each timer at its own deadline.
    void advance(GuestTime by)
    {
        const GuestTime end = m_clock.now() + by;
        while (m_timers.nextDeadline() && *m_timers.nextDeadline() <= end) {
            if (*m_timers.nextDeadline() > m_clock.now())
                m_clock.advance(*m_timers.nextDeadline() - m_clock.now());
            m_timers.runDue();
        }
        m_clock.advance(end - m_clock.now());
    }
    // Lets time pass without running timers: a host that was too busy. runDue() follows.
    void starve(GuestTime by) { m_clock.advance(by); }

    Snapshot save(const Device& device)
    {
        Snapshot snapshot;
        StateWriter writer(snapshot);
        device.save(writer);
        return snapshot;
    }
    bool restore(Device& device, const Snapshot& snapshot)
    {
        StateReader reader(snapshot);
        return device.restore(reader).ok();
    }
    // Resets the wires' other ends, not the devices.
    void reset()
    {
        m_gateA20.setFastGate(false);
        m_gateA20.setKeyboardGate(false);
    }

private:
    ManualClock m_clock;
    std::unique_ptr<GuestMemory> m_memory = std::move(*GuestMemory::create(2 << 20));
    PortBus m_ports;
    MmioBus m_mmio;
    Timers m_timers { m_clock };
    GateA20 m_gateA20;
    ResetLine m_resetLine;
    RecordingInterruptSink m_interrupts;
};

} // namespace namsan
