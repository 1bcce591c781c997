// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QTimer>

#include <algorithm>
#include <chrono>
#include <fstream>

namespace namsan {

// Measures how long the GUI thread did not come back to its event loop, by a heart that beats in it. Every turn counts.
//
// A turn in which the thread was ready to run while the host ran other threads on all its CPUs is no turn in which it
// was blocked: the kernel tells that time for each thread (schedstat, Documentation/scheduler/sched-stats.rst), and it
// is taken off. Waiting for a lock, for the disk, for the machine, and computing are what remains.
class GuiWatchdog {
public:
    static constexpr double mostMilliseconds = 50;

    GuiWatchdog()
    {
        m_heart.setTimerType(Qt::PreciseTimer);
        QObject::connect(&m_heart, &QTimer::timeout, &m_heart, [this] { beat(); });
        m_heart.start(5);
    }

    double longest() const { return m_longest; }
    double longestWithHost() const { return m_longestWithHost; }
    long beats() const { return m_beats; }

private:
    using Clock = std::chrono::steady_clock;
    using Milliseconds = std::chrono::duration<double, std::milli>;

    // How long this thread has waited for a CPU so far: the second number.
    static Milliseconds waitedForCpu()
    {
        std::ifstream file("/proc/thread-self/schedstat");
        int64_t ran = 0;
        int64_t waited = 0;
        file >> ran >> waited;
        return std::chrono::nanoseconds(waited);
    }

    void beat()
    {
        const auto now = Clock::now();
        const Milliseconds waited = waitedForCpu();
        const Milliseconds turn = now - m_before;
        m_longestWithHost = std::max(m_longestWithHost, turn.count());
        m_longest = std::max(m_longest, (turn - (waited - m_waitedBefore)).count());
        m_before = now;
        m_waitedBefore = waited;
        ++m_beats;
    }

    QTimer m_heart;
    Clock::time_point m_before = Clock::now();
    Milliseconds m_waitedBefore = waitedForCpu();
    double m_longest = 0;
    double m_longestWithHost = 0;
    long m_beats = 0;
};

} // namespace namsan
