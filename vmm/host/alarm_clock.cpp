// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/alarm_clock.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/timerfd.h>

namespace namsan {

namespace {

timespec asTimespec(std::chrono::nanoseconds time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return { .tv_sec = seconds.count(), .tv_nsec = (time - seconds).count() };
}

} // namespace

Result<std::unique_ptr<AlarmClock>> AlarmClock::create()
{
    FileDescriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    if (timer.number() < 0)
        return Error { fmt::format(
            "The machine's timer cannot be had from the kernel ({}); close programs or raise the limit of open files.",
            std::strerror(errno)) };
    return std::unique_ptr<AlarmClock>(new AlarmClock(std::move(timer)));
}

void AlarmClock::ringIn(std::chrono::nanoseconds delay)
{
    // Far ones are cut short, so that the sum below fits: waking once a day for nothing costs nothing.
    constexpr std::chrono::nanoseconds furthest = std::chrono::hours(24);
    const Time time = std::chrono::steady_clock::now() + std::clamp(delay, std::chrono::nanoseconds::zero(), furthest);
    const std::lock_guard guard(m_mutex);
    if (m_ringsAt && *m_ringsAt <= time)
        return;
    m_ringsAt = time;
    const itimerspec alarm { .it_interval = {}, .it_value = asTimespec(time.time_since_epoch()) };
    timerfd_settime(m_timer.number(), TFD_TIMER_ABSTIME, &alarm, nullptr);
}

void AlarmClock::sleep()
{
    uint64_t expirations = 0;
    while (read(m_timer.number(), &expirations, sizeof expirations) < 0 && errno == EINTR) { }
    const std::lock_guard guard(m_mutex);
    m_ringsAt.reset();
}

} // namespace namsan
