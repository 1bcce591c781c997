// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/board_thread.h"

#include <pthread.h>

namespace namsan {

BoardThread::BoardThread(Motherboard& board)
    : m_board(board)
{
    const Held held = board.enter();
    board.timers(held).setWakeUp([this, &timers = board.timers(held)] {
        // Timers that its own timers arm are seen before it sleeps. For a later deadline it needs no wake-up.
        if (!isThisThread() && !(m_plannedDeadline && timers.nextDeadline() >= m_plannedDeadline))
            m_board.wakeWhenLeft(*this);
    });
}

BoardThread::~BoardThread()
{
    quit();
    join();
}

void BoardThread::start(Task onStart)
{
    // The task runs only once m_thread is set, which isThisThread() needs.
    post(std::move(onStart));
    const std::lock_guard guard(m_mutex);
    m_thread = std::thread([this] { run(); });
}

void BoardThread::post(Task task)
{
    {
        const std::lock_guard guard(m_mutex);
        if (m_quit)
            return;
        m_tasks.push_back(std::move(task));
    }
    m_wakeUp.notify_one();
}

void BoardThread::wakeUp()
{
    {
        const std::lock_guard guard(m_mutex);
        m_woken = true;
    }
    m_wakeUp.notify_one();
}

void BoardThread::quit()
{
    {
        const std::lock_guard guard(m_mutex);
        m_quit = true;
    }
    m_wakeUp.notify_one();
}

void BoardThread::join()
{
    if (m_thread.joinable())
        m_thread.join();
}

void BoardThread::run()
{
    pthread_setname_np(pthread_self(), "namsan VMM");
    while (true) {
        runTasks();
        {
            const std::lock_guard guard(m_mutex);
            if (m_quit && m_tasks.empty())
                return;
        }
        sleepUntilNeeded(runTimers());
    }
}

void BoardThread::runTasks()
{
    std::vector<Task> tasks;
    {
        const std::lock_guard guard(m_mutex);
        tasks.swap(m_tasks);
        m_woken = false;
    }
    for (const Task& task : tasks)
        task();
}

std::optional<GuestTime> BoardThread::runTimers()
{
    if (!m_timersRunning)
        return {};
    const Held held = m_board.enter();
    Timers& timers = m_board.timers(held);
    timers.runDue();
    m_plannedDeadline = timers.nextDeadline();
    if (!m_plannedDeadline)
        return {};
    return std::max(*m_plannedDeadline - timers.now(), GuestTime::zero());
}

void BoardThread::sleepUntilNeeded(std::optional<GuestTime> delay)
{
    std::unique_lock lock(m_mutex);
    const auto needed = [this] { return m_woken || m_quit || !m_tasks.empty(); };
    if (delay)
        m_wakeUp.wait_for(lock, *delay, needed);
    else
        m_wakeUp.wait(lock, needed);
}

} // namespace namsan
