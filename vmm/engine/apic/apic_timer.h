// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/time/clock.h"

#include <cstdint>
#include <optional>

namespace namsan {

// The timer of a local APIC: one shot, periodic, or at a value of the TSC. Intel SDM volume 3, 11.5.4.
//
// It counts at 1 GHz before the divider, whatever the processor's frequency. A periodic tick that finds the one before
// not yet taken is kept, and comes half a period later: at most twice as many ticks as there should be, and none lost.
class ApicTimer {
public:
    enum class Mode : uint8_t { OneShot, Periodic, TscDeadline, Reserved };

    // One moment on both of the guest's clocks.
    struct Now {
        GuestTime time;
        uint64_t tsc; // as the guest reads it
    };

    explicit ApicTimer(uint64_t tscFrequency)
        : m_tscFrequency(tscFrequency)
    {
    }

    void setMode(Mode, const Now&);
    Mode mode() const { return m_mode; }
    void setDivideConfiguration(uint32_t, const Now&);
    uint32_t divideConfiguration() const { return m_divideConfiguration; }
    void setInitialCount(uint32_t, const Now&); // starts the count; 0 stops it
    uint32_t initialCount() const { return m_initialCount; }
    uint32_t currentCount(const Now&) const;
    void setTscDeadline(uint64_t, const Now&); // 0 stops it
    uint64_t tscDeadline() const { return m_tscDeadline; }

    std::optional<GuestTime> deadline() const { return m_deadline; }
    // Whether the deadline has come, and so an interrupt is due. tickTakes tells whether a tick would be seen: the one
    // before has been taken.
    bool expire(const Now&, bool tickTakes);

    uint64_t missedTicks() const { return m_missed; }
    GuestTime lateness() const { return period() * static_cast<int64_t>(m_missed); }
    void forgetMissedTicks(const Now&); // nobody wants them

    void stop();
    // Where a snapshot left it.
    void resume(Mode, uint32_t divideConfiguration, uint32_t initialCount, uint32_t currentCount, uint64_t tscDeadline,
        uint64_t missedTicks, const Now&);

private:
    // No guest may keep the host busy with ticks alone; who asks for more gets as many as this, and the rest is missed.
    static constexpr GuestTime shortestPause = std::chrono::microseconds(20);

    uint64_t divisor() const;
    GuestTime period() const;
    void plan(const Now&);

    const uint64_t m_tscFrequency;
    Mode m_mode = Mode::OneShot;
    uint32_t m_divideConfiguration = 0;
    uint32_t m_initialCount = 0;
    uint64_t m_tscDeadline = 0;
    bool m_counting = false;
    GuestTime m_end {}; // when the count comes to 0
    uint64_t m_missed = 0;
    std::optional<GuestTime> m_deadline;
};

} // namespace namsan
