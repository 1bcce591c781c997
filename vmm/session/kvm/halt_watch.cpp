// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/halt_watch.h"

#include <algorithm>
#include <csignal>
#include <sys/syscall.h>
#include <unistd.h>

namespace namsan {

HaltWatch::~HaltWatch()
{
    if (m_timer)
        timer_delete(*m_timer);
}

void HaltWatch::begin()
{
    const auto thread = static_cast<pid_t>(syscall(SYS_gettid));
    if (thread != m_thread) {
        if (m_timer)
            timer_delete(*m_timer);
        m_timer.reset();
        sigevent event {};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = m_signal;
        event._sigev_un._tid = thread; // glibc 2.36 has no name for it yet
        timer_t timer {};
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
            m_timer = timer;
        m_thread = thread;
    }
    arm(shortest);
}

void HaltWatch::foundRunning()
{
    if (m_period < longest)
        arm(std::min(2 * m_period, longest));
}

void HaltWatch::foundHalted()
{
    if (m_period != shortest)
        arm(shortest);
}

void HaltWatch::end()
{
    if (m_armed)
        arm(std::chrono::milliseconds(0));
}

// A repeated timer: a signal that comes just before KVM_RUN has no effect, and must not be the last.
void HaltWatch::arm(std::chrono::milliseconds period)
{
    if (!m_timer)
        return;
    const timespec time { 0, std::chrono::nanoseconds(period).count() };
    const itimerspec setting { time, time };
    timer_settime(*m_timer, 0, &setting, nullptr);
    m_period = period;
    m_armed = period.count() != 0;
}

} // namespace namsan
