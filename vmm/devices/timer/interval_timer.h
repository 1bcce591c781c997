// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"
#include "vmm/board/device.h"
#include "vmm/board/irq_line.h"
#include "vmm/board/port_bus.h"
#include "vmm/devices/timer/programmable_counter.h"
#include "vmm/time/timers.h"

#include <array>
#include <optional>

namespace namsan {

// How well the timer kept up with the ticks (rises of counter 0's output) that it owed to the guest.
struct TickAccount {
    uint64_t delivered; // since power-on
    uint64_t late; // of these, delivered only after the next tick was due
    uint64_t pending; // due and not delivered yet
    uint64_t lost; // due, but the guest programmed the counter anew before they were delivered
    GuestTime behind; // since when the oldest pending tick has been due; 0 if none is

    bool operator==(const TickAccount&) const = default;
};

// Counter 2's tone or gate has changed.
struct ToneChange { };

// The interval timer of the PC/AT: an 8254 at ports 40-43, whose counter 0 drives IRQ 0 and whose counter 2 makes the
// speaker's tone. Intel 8254 data sheet (231164, 1993); IBM PC/AT Technical Reference (1984), "System Timers".
//
// Counts and outputs are computed from the clock; a timer runs only for the rises of counter 0's output. When the host
// was late by several of them, they are delivered one by one at no less than a quarter of their period, and never more
// often than every 10 us, whatever the guest programs.
class IntervalTimer final : public Device, public PortHandler {
public:
    static constexpr uint64_t frequency = 1'193'182; // Hz
    static constexpr GuestTime shortestGap { 10'000 };

    IntervalTimer(PortBus&, Timers&, IrqLine irq0);

    TickAccount ticks() const;

    // Pulses of the 1.19 MHz clock since power-on.
    ProgrammableCounter::Tick now() const;

    // For system control port B.
    void setToneGate(bool level);
    bool toneGate() const { return m_counters[toneCounter].gate(); }
    bool toneOutput();
    std::optional<uint32_t> toneFrequency() const; // Hz; empty when counter 2 makes no tone
    Channel<ToneChange>& toneChanges() { return m_toneChanges; }

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "interval timer"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    using Tick = ProgrammableCounter::Tick;

    static constexpr size_t tickCounter = 0;
    static constexpr size_t toneCounter = 2;

    static GuestTime timeOf(Tick);
    void controlWord(uint8_t value);
    void readBack(uint8_t value);
    template <class Change> void changeTickCounter(Change);
    uint64_t owedTicks();
    void deliverTick();
    void armForNextTick();

    Timers& m_timers;
    IrqLine m_irq0;
    std::array<ProgrammableCounter, 3> m_counters;
    uint64_t m_deliveredSinceLoad = 0;
    GuestTime m_lastDelivery = -shortestGap;
    uint64_t m_delivered = 0;
    uint64_t m_late = 0;
    uint64_t m_lost = 0;
    Channel<ToneChange> m_toneChanges;
    Timer m_tickTimer;
};

} // namespace namsan
