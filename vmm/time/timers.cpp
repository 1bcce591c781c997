// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/time/timers.h"

#include <algorithm>
#include <utility>

namespace namsan {

bool Timers::isEarlier(const Timer* a, const Timer* b)
{
    return std::pair(a->m_deadline, a->m_order) < std::pair(b->m_deadline, b->m_order);
}

std::optional<GuestTime> Timers::nextDeadline() const
{
    if (m_armed.empty())
        return {};
    return m_armed.front()->m_deadline;
}

void Timers::runDue()
{
    const GuestTime now = m_clock.now();
    std::vector<Timer*> due;
    for (Timer* timer : m_armed) {
        if (timer->m_deadline > now)
            break;
        due.push_back(timer);
    }
    for (Timer* timer : due) {
        // An earlier timer of this round may have moved or cancelled this one.
        if (!timer->m_armed || timer->m_deadline > now)
            continue;
        remove(*timer);
        timer->m_onExpiry();
    }
}

void Timers::add(Timer& timer)
{
    m_armed.insert(std::upper_bound(m_armed.begin(), m_armed.end(), &timer, isEarlier), &timer);
    timer.m_armed = true;
    if (m_armed.front() == &timer && m_wakeUp)
        m_wakeUp();
}

void Timers::remove(Timer& timer)
{
    m_armed.erase(std::find(m_armed.begin(), m_armed.end(), &timer));
    timer.m_armed = false;
}

Timer::Timer(Timers& timers, std::function<void()> onExpiry)
    : m_timers(timers)
    , m_onExpiry(std::move(onExpiry))
    , m_order(timers.m_constructed++)
{
}

Timer::~Timer()
{
    cancel();
}

void Timer::armAt(GuestTime deadline)
{
    cancel();
    m_deadline = deadline;
    m_timers.add(*this);
}

void Timer::cancel()
{
    if (m_armed)
        m_timers.remove(*this);
}

} // namespace namsan
