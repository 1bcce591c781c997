// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace namsan {

// Time as the guest's hardware lives it: since the machine was switched on, standing still while it is paused.
using GuestTime = std::chrono::nanoseconds;

// The one source of a machine's time: PIT, RTC, PM timer, local APIC timer and TSC all derive from it.
// now() and tsc() are safe from any thread and never go back.
class Clock {
public:
    virtual ~Clock() = default;

    virtual GuestTime now() const = 0;

    // The guest's time stamp counter, in ticks of tscFrequency() Hz since power-on; tsc() and now() tell the same time.
    virtual uint64_t tsc() const = 0;
    virtual uint64_t tscFrequency() const = 0;
};

// The host's time stamp counter at its nominal frequency. (The host's monotonic clock is slewed by NTP; a guest that
// compares its TSC with its PIT would see the two drift apart.) Where the host's TSC is not invariant, the host's raw
// monotonic clock, with a TSC of 1 GHz. Starts paused at 0.
class HostClock final : public Clock {
public:
    HostClock();

    GuestTime now() const override;
    uint64_t tsc() const override;
    uint64_t tscFrequency() const override { return m_frequency; }

    // Any thread. start() of a running clock and stop() of a standing one do nothing.
    void start();
    void stop();

private:
    uint64_t hostTicks() const;

    bool m_invariantTsc;
    uint64_t m_frequency;
    std::mutex m_mutex; // of start() and stop(); to read takes no lock, which a vCPU could be preempted with
    std::atomic<bool> m_running = false;
    std::atomic<uint64_t> m_origin = 0; // host ticks when the guest's were 0, pauses left out
    // Host TSCs may differ by some ticks between processors. While the clock stands, this is what it shows.
    mutable std::atomic<uint64_t> m_lastTold = 0;
};

// The frequency at which the host's TSC runs, in Hz, measured once per process against the raw monotonic clock where
// the processor doesn't tell it (takes some 20 ms then); 0 where the TSC is not invariant. Any thread.
uint64_t hostTscFrequency();

// A clock that stands still until a test moves it. TSC of 1 GHz.
class ManualClock final : public Clock {
public:
    GuestTime now() const override { return GuestTime(m_now.load()); }
    uint64_t tsc() const override { return static_cast<uint64_t>(m_now.load()); }
    uint64_t tscFrequency() const override { return 1'000'000'000; }

    void advance(GuestTime by) { m_now += by.count(); }

private:
    std::atomic<int64_t> m_now = 0;
};

} // namespace namsan
