// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/time/clock.h"

#include <functional>
#include <optional>
#include <vector>

namespace namsan {

class Timer;

// The timers of one board, run by its board thread. All calls under the board lock.
class Timers {
public:
    explicit Timers(const Clock& clock)
        : m_clock(clock)
    {
    }
    Timers(const Timers&) = delete;
    Timers& operator=(const Timers&) = delete;

    const Clock& clock() const { return m_clock; }
    GuestTime now() const { return m_clock.now(); }

    // When the next timer expires; empty when none is armed.
    std::optional<GuestTime> nextDeadline() const;

    // Runs all timers whose deadline has come, in the order of deadlines; equal ones in the order of their
    // construction. A timer that is armed meanwhile for a time that has come waits for the next call, so that no timer
    // can keep the board thread here.
    void runDue();

    // Called when the next deadline has moved closer, so that the board thread can sleep less.
    void setWakeUp(std::function<void()> wakeUp) { m_wakeUp = std::move(wakeUp); }

private:
    friend class Timer;

    static bool isEarlier(const Timer* a, const Timer* b);

    void add(Timer&);
    void remove(Timer&);

    const Clock& m_clock;
    std::vector<Timer*> m_armed; // in the order in which they expire; a machine has a handful, and arms them often
    uint64_t m_constructed = 0;
    std::function<void()> m_wakeUp;
};

// One deadline of a device, which owns it as a member. Expires once per arming.
class Timer {
public:
    Timer(Timers&, std::function<void()> onExpiry);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // A deadline in the past expires at once, from the board thread.
    void armAt(GuestTime deadline);
    void armIn(GuestTime delay) { armAt(m_timers.now() + delay); }
    void cancel();

    bool armed() const { return m_armed; }
    GuestTime deadline() const { return m_deadline; } // while armed

private:
    friend class Timers;

    Timers& m_timers;
    std::function<void()> m_onExpiry;
    uint64_t m_order;
    GuestTime m_deadline {};
    bool m_armed = false;
};

} // namespace namsan
