// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/file_descriptor.h"
#include "vmm/base/result.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

namespace namsan {

// One thread sleeps until a time that others bring forward while it sleeps, without being woken for that: a guest that
// sets its timer anew at each tick then costs the sleeper one wake-up a tick and not two. timerfd_create(2).
class AlarmClock {
public:
    static Result<std::unique_ptr<AlarmClock>> create();

    // The sleeper wakes when the delay is over, or sooner where somebody has asked for that. Any thread.
    void ringIn(std::chrono::nanoseconds delay);
    void ring() { ringIn(std::chrono::nanoseconds::zero()); }

    // Sleeps until the alarm and forgets it. What others did before they set it is to be looked at after this.
    void sleep();

private:
    using Time = std::chrono::steady_clock::time_point; // CLOCK_MONOTONIC

    explicit AlarmClock(FileDescriptor timer)
        : m_timer(std::move(timer))
    {
    }

    const FileDescriptor m_timer;
    std::mutex m_mutex;
    std::optional<Time> m_ringsAt;
};

} // namespace namsan
