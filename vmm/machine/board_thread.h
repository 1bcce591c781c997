// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/motherboard.h"
#include "vmm/host/alarm_clock.h"

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace namsan {

// The thread that the tables call "the VMM": it runs the board's timers at their deadlines and what other threads leave
// for it. It sleeps in between, and no guest code ever runs on it.
//
// Tasks run one after the other, in the order in which they were posted, without the board lock: a task that touches
// the board enters it, and one that waits for vCPUs can do so.
class BoardThread {
public:
    using Task = std::function<void()>;

    static Result<std::unique_ptr<BoardThread>> create(Motherboard&);
    ~BoardThread(); // quit() and join
    BoardThread(const BoardThread&) = delete;
    BoardThread& operator=(const BoardThread&) = delete;

    // Starts the thread; onStart is the first thing that runs on it.
    void start(Task onStart);

    // Any thread; never waits for the board. Tasks posted after quit() are dropped.
    void post(Task);

    // Whether timers run; off at first and while the machine is paused. Only from tasks.
    void setTimersRunning(bool running) { m_timersRunning = running; }

    // Makes the thread end after the tasks that were posted before. Any thread.
    void quit();
    void join();

    bool isThisThread() const { return std::this_thread::get_id() == m_thread.get_id(); }

private:
    BoardThread(Motherboard&, std::unique_ptr<AlarmClock>);

    void run();
    void runTasks();
    void runTimers(); // and has itself woken for the next deadline

    Motherboard& m_board;
    bool m_timersRunning = false;
    const std::unique_ptr<AlarmClock> m_alarm;

    std::mutex m_mutex;
    std::vector<Task> m_tasks;
    bool m_quit = false;

    std::thread m_thread;
};

} // namespace namsan
