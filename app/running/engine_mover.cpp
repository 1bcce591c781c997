// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/engine_mover.h"

#include <fmt/format.h>

#include <utility>

namespace namsan {

EngineMover::EngineMover(Machine& machine, std::function<void()> wake)
    : m_machine(machine)
    , m_wake(std::move(wake))
    , m_thread([this] { run(); })
{
}

EngineMover::~EngineMover()
{
    {
        const std::lock_guard guard(m_mutex);
        m_over = true;
        m_changed.notify_all();
    }
    m_thread.join();
}

void EngineMover::move(std::string engine)
{
    const std::lock_guard guard(m_mutex);
    m_wanted.push_back(std::move(engine));
    m_changed.notify_all();
}

std::vector<std::string> EngineMover::takeRefusals()
{
    const std::lock_guard guard(m_mutex);
    return std::exchange(m_refusals, {});
}

void EngineMover::run()
{
    std::unique_lock lock(m_mutex);
    for (;;) {
        m_changed.wait(lock, [this] { return m_over || !m_wanted.empty(); });
        if (m_over)
            return;
        const std::string engine = std::move(m_wanted.front());
        m_wanted.pop_front();
        lock.unlock();
        const auto moved = m_machine.moveToEngine(engine);
        lock.lock();
        if (!moved)
            m_refusals.push_back(
                fmt::format("The guest was not moved to the engine {}. {}", engine, moved.error().message));
        lock.unlock();
        if (m_wake)
            m_wake();
        lock.lock();
    }
}

} // namespace namsan
