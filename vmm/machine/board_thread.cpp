// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/board_thread.h"

#include <pthread.h>

namespace namsan {

Result<std::unique_ptr<BoardThread>> BoardThread::create(Motherboard& board)
{
    auto alarm = AlarmClock::create();
    if (!alarm)
        return alarm.error();
    return std::unique_ptr<BoardThread>(new BoardThread(board, std::move(*alarm)));
}

BoardThread::BoardThread(Motherboard& board, std::unique_ptr<AlarmClock> alarm)
    : m_board(board)
    , m_alarm(std::move(alarm))
{
    const Held held = board.enter();
    board.timers(held).setWakeUp([this, &timers = board.timers(held)] {
        if (!isThisThread()) // timers that its own timers arm are seen before it sleeps
            m_alarm->ringIn(*timers.nextDeadline() - timers.now());
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
    m_alarm->ring();
}

void BoardThread::quit()
{
    {
        const std::lock_guard guard(m_mutex);
        m_quit = true;
    }
    m_alarm->ring();
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
        if (m_timersRunning)
            runTimers();
        m_alarm->sleep();
    }
}

void BoardThread::runTasks()
{
    std::vector<Task> tasks;
    {
        const std::lock_guard guard(m_mutex);
        tasks.swap(m_tasks);
    }
    for (const Task& task : tasks)
        task();
}

void BoardThread::runTimers()
{
    const Held held = m_board.enter();
    Timers& timers = m_board.timers(held);
    timers.runDue();
    if (const std::optional<GuestTime> deadline = timers.nextDeadline())
        m_alarm->ringIn(*deadline - timers.now());
}

} // namespace namsan
