// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/apic/apic_timer.h"

#include "vmm/base/scaled_division.h"

#include <algorithm>
#include <utility>

namespace namsan {

namespace {
constexpr uint64_t nanosecondsPerSecond = 1'000'000'000;
}

// SDM volume 3, figure 11-10: bits 3, 1 and 0; 111 divides by 1, the others by 2, 4, ... 128.
uint64_t ApicTimer::divisor() const
{
    const uint32_t code = (m_divideConfiguration & 3) | (m_divideConfiguration >> 1 & 4);
    return uint64_t { 1 } << ((code + 1) & 7);
}

GuestTime ApicTimer::period() const
{
    return GuestTime(static_cast<int64_t>(uint64_t { m_initialCount } * divisor()));
}

// Between TSC-deadline mode and the others, a change stops the timer (11.5.4.1).
void ApicTimer::setMode(Mode mode, const Now& now)
{
    if (mode == m_mode)
        return;
    const uint32_t left = currentCount(now);
    const bool stops = mode == Mode::TscDeadline || m_mode == Mode::TscDeadline;
    m_mode = mode;
    m_missed = 0;
    if (stops) {
        m_counting = false;
        m_tscDeadline = 0;
        if (mode == Mode::TscDeadline)
            m_initialCount = 0;
    } else {
        m_counting = left != 0;
    }
    plan(now);
}

void ApicTimer::setDivideConfiguration(uint32_t value, const Now& now)
{
    const uint32_t left = currentCount(now);
    m_divideConfiguration = value & 0xb;
    if (m_counting)
        m_end = now.time + GuestTime(static_cast<int64_t>(left * divisor()));
    plan(now);
}

void ApicTimer::setInitialCount(uint32_t count, const Now& now)
{
    if (m_mode == Mode::TscDeadline)
        return;
    m_initialCount = count;
    m_missed = 0;
    m_counting = count != 0;
    m_end = now.time + period();
    plan(now);
}

uint32_t ApicTimer::currentCount(const Now& now) const
{
    if (!m_counting || m_mode == Mode::TscDeadline)
        return 0;
    int64_t left = (m_end - now.time).count();
    if (left <= 0) {
        if (m_mode != Mode::Periodic)
            return 0;
        // The tick is due and not yet carried out; the count goes round all the same.
        left = period().count() - (-left % period().count());
    }
    const auto unit = static_cast<int64_t>(divisor());
    return static_cast<uint32_t>(std::min<int64_t>((left + unit - 1) / unit, m_initialCount));
}

void ApicTimer::setTscDeadline(uint64_t deadline, const Now& now)
{
    if (m_mode != Mode::TscDeadline)
        return;
    m_tscDeadline = deadline;
    plan(now);
}

void ApicTimer::plan(const Now& now)
{
    m_deadline.reset();
    if (m_mode == Mode::TscDeadline) {
        if (m_tscDeadline == 0)
            return;
        const uint64_t ticks = m_tscDeadline > now.tsc ? m_tscDeadline - now.tsc : 0;
        // Far beyond any run's end is never; the product must not overflow.
        constexpr uint64_t mostSeconds = uint64_t { 1 } << 32;
        if (ticks / m_tscFrequency < mostSeconds)
            m_deadline = now.time
                + GuestTime(static_cast<int64_t>(multiplyDivide(ticks, nanosecondsPerSecond, m_tscFrequency) + 1));
    } else if (m_counting) {
        m_deadline = m_end;
        if (m_mode == Mode::Periodic) {
            if (m_missed > 0)
                m_deadline = std::min(m_end, now.time + period() / 2);
            if (period() < shortestPause)
                m_deadline = now.time + shortestPause;
        }
    }
}

bool ApicTimer::expire(const Now& now, bool tickTakes)
{
    if (!m_deadline || now.time < *m_deadline)
        return false;
    if (m_mode == Mode::TscDeadline) {
        // The nanosecond's fraction may still be missing.
        if (now.tsc < m_tscDeadline) {
            plan(now);
            return false;
        }
        m_tscDeadline = 0;
        plan(now);
        return true;
    }
    if (m_mode != Mode::Periodic) {
        m_counting = false;
        plan(now);
        return true;
    }
    if (now.time >= m_end) {
        const int64_t ticks = (now.time - m_end).count() / period().count() + 1;
        m_missed += static_cast<uint64_t>(ticks);
        m_end += period() * ticks;
    }
    const bool due = m_missed > 0 && tickTakes;
    if (due)
        --m_missed;
    plan(now);
    return due;
}

void ApicTimer::forgetMissedTicks(const Now& now)
{
    if (std::exchange(m_missed, 0))
        plan(now);
}

void ApicTimer::stop()
{
    m_mode = Mode::OneShot;
    m_divideConfiguration = 0;
    m_initialCount = 0;
    m_tscDeadline = 0;
    m_counting = false;
    m_missed = 0;
    m_deadline.reset();
}

void ApicTimer::resume(Mode mode, uint32_t divideConfiguration, uint32_t initialCount, uint32_t currentCount,
    uint64_t tscDeadline, uint64_t missedTicks, const Now& now)
{
    stop();
    m_mode = mode;
    m_divideConfiguration = divideConfiguration & 0xb;
    m_initialCount = initialCount;
    m_tscDeadline = mode == Mode::TscDeadline ? tscDeadline : 0;
    m_missed = mode == Mode::Periodic && initialCount ? missedTicks : 0;
    // A periodic count is never seen at 0 for long: it begins anew.
    const uint32_t left = currentCount || mode != Mode::Periodic ? currentCount : initialCount;
    m_counting = left != 0 && mode != Mode::TscDeadline;
    m_end = now.time + GuestTime(static_cast<int64_t>(left * divisor()));
    plan(now);
}

} // namespace namsan
