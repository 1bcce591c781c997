// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/interval_timer.h"

#include "vmm/base/scaled_division.h"

#include <algorithm>

namespace namsan {

namespace {
constexpr Port firstCounterPort = 0x40;
constexpr Port controlPort = 0x43;
constexpr uint64_t nanosecondsPerSecond = 1'000'000'000;
} // namespace

IntervalTimer::IntervalTimer(PortBus& ports, Timers& timers, IrqLine irq0)
    : m_timers(timers)
    , m_irq0(irq0)
    , m_tickTimer(timers, [this] { deliverTick(); })
{
    ports.claim(firstCounterPort, controlPort, *this);
    reset();
}

ProgrammableCounter::Tick IntervalTimer::now() const
{
    return static_cast<Tick>(
        multiplyDivide(static_cast<uint64_t>(m_timers.now().count()), frequency, nanosecondsPerSecond));
}

// The first nanosecond at which now() is tick.
GuestTime IntervalTimer::timeOf(Tick tick)
{
    const auto count = static_cast<uint64_t>(std::max<Tick>(tick, 0));
    const uint64_t time = multiplyDivide(count, nanosecondsPerSecond, frequency);
    const bool tooEarly = multiplyDivide(time, frequency, nanosecondsPerSecond) < count;
    return GuestTime(static_cast<int64_t>(time + tooEarly));
}

uint32_t IntervalTimer::portIn(Port port, Width)
{
    if (port == controlPort)
        return allOnes(Width::Byte); // "Read Operation Summary": nobody drives the bus
    return m_counters[port - firstCounterPort].read(now());
}

void IntervalTimer::portOut(Port port, Width, uint32_t value)
{
    const auto byte = static_cast<uint8_t>(value);
    if (port == controlPort)
        return controlWord(byte);
    ProgrammableCounter& counter = m_counters[port - firstCounterPort];
    if (port - firstCounterPort == tickCounter) {
        changeTickCounter([&] {
            counter.write(byte, now());
            if (counter.mode() == 0 && !counter.output(now()))
                m_irq0.lower();
        });
        return;
    }
    counter.write(byte, now());
    if (port - firstCounterPort == toneCounter)
        m_toneChanges.send({});
}

void IntervalTimer::controlWord(uint8_t value)
{
    const unsigned selected = value >> 6;
    if (selected == 3)
        return readBack(value);
    ProgrammableCounter& counter = m_counters[selected];
    if ((value & 0x30) == 0)
        return counter.latchCount(now());
    if (selected == tickCounter) {
        changeTickCounter([&] {
            counter.program(value);
            m_irq0.set(counter.output(now()));
        });
        return;
    }
    counter.program(value);
    if (selected == toneCounter)
        m_toneChanges.send({});
}

// "Read-Back Command": two bits, low to act, choose what is latched of the counters whose bits are set.
void IntervalTimer::readBack(uint8_t value)
{
    for (unsigned i = 0; i < m_counters.size(); ++i) {
        if (!(value & 2 << i))
            continue;
        if (!(value & 0x20))
            m_counters[i].latchCount(now());
        if (!(value & 0x10))
            m_counters[i].latchStatus(now());
    }
}

// Whatever ends the counting that is under way. A tick that hardware would have delivered before is delivered now;
// others that were owed are lost.
template <class Change> void IntervalTimer::changeTickCounter(Change change)
{
    if (owedTicks() > 0)
        deliverTick();
    const uint64_t owed = owedTicks();
    const uint32_t loads = m_counters[tickCounter].loads();
    change();
    if (m_counters[tickCounter].loads() != loads) {
        m_lost += owed;
        m_deliveredSinceLoad = 0;
    }
    armForNextTick();
}

uint64_t IntervalTimer::owedTicks()
{
    return m_counters[tickCounter].risesUntil(now()) - m_deliveredSinceLoad;
}

void IntervalTimer::deliverTick()
{
    const uint64_t owed = owedTicks();
    if (owed > 0) {
        ++m_deliveredSinceLoad;
        ++m_delivered;
        if (owed > 1)
            ++m_late;
        m_lastDelivery = m_timers.now();
        m_irq0.lower();
        m_irq0.raise();
    }
    armForNextTick();
}

void IntervalTimer::armForNextTick()
{
    const ProgrammableCounter& counter = m_counters[tickCounter];
    const auto tick = counter.tickOfRise(m_deliveredSinceLoad + 1);
    if (!tick)
        return m_tickTimer.cancel();
    GuestTime gap = shortestGap;
    if (const auto period = counter.period())
        gap = std::max(gap, timeOf(*period) / 4);
    m_tickTimer.armAt(std::max(timeOf(*tick), m_lastDelivery + gap));
}

TickAccount IntervalTimer::ticks() const
{
    ProgrammableCounter counter = m_counters[tickCounter];
    const uint64_t pending = counter.risesUntil(now()) - m_deliveredSinceLoad;
    GuestTime behind {};
    if (const auto oldest = counter.tickOfRise(m_deliveredSinceLoad + 1); pending > 0 && oldest)
        behind = m_timers.now() - timeOf(*oldest);
    return { m_delivered, m_late, pending, m_lost, std::max(behind, GuestTime {}) };
}

void IntervalTimer::setToneGate(bool level)
{
    if (level == toneGate())
        return;
    m_counters[toneCounter].setGate(level, now());
    m_toneChanges.send({});
}

bool IntervalTimer::toneOutput()
{
    return m_counters[toneCounter].output(now());
}

std::optional<uint32_t> IntervalTimer::toneFrequency() const
{
    const auto period = m_counters[toneCounter].writtenPeriod();
    if (!period)
        return {};
    return static_cast<uint32_t>(frequency / static_cast<uint64_t>(*period));
}

// The 8254 has no reset pin and an undefined state at power-on; this one has every counter in mode 0 without a count,
// so that nothing ticks until it is programmed. Counter 2's gate is low as port 61 is 0.
void IntervalTimer::reset()
{
    m_counters = {};
    m_counters[toneCounter].setGate(false, now());
    m_deliveredSinceLoad = 0;
    m_irq0.lower();
    m_tickTimer.cancel();
    m_toneChanges.send({});
}

void IntervalTimer::save(StateWriter& state) const
{
    for (const ProgrammableCounter& counter : m_counters)
        counter.save(state, now());
    state.put(m_irq0.level(), m_deliveredSinceLoad, m_delivered, m_late, m_lost);
}

Result<void> IntervalTimer::restore(StateReader& state)
{
    std::array<ProgrammableCounter, 3> counters = m_counters;
    for (ProgrammableCounter& counter : counters) {
        if (auto restored = counter.restore(state, now(), name()); !restored)
            return restored;
    }
    bool irq0 = false;
    uint64_t deliveredSinceLoad = 0, delivered = 0, late = 0, lost = 0;
    if (auto taken = state.takeInto(irq0, deliveredSinceLoad, delivered, late, lost); !taken)
        return taken;
    const bool gatesAreWired = counters[0].gate() && counters[1].gate();
    if (!gatesAreWired || deliveredSinceLoad > ProgrammableCounter(counters[tickCounter]).risesUntil(now()))
        return StateReader::impossible(name());

    m_counters = counters;
    m_deliveredSinceLoad = deliveredSinceLoad;
    m_delivered = delivered;
    m_late = late;
    m_lost = lost;
    m_lastDelivery = m_timers.now() - shortestGap;
    m_irq0.set(irq0);
    armForNextTick();
    m_toneChanges.send({});
    return {};
}

} // namespace namsan
