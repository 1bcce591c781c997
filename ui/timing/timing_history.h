// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/machine/machine_sample.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace namsan {

// What happened between two samples of a machine.
struct TimingPoint {
    double time = 0; // seconds of host time at the end of the interval, pauses left out
    double interval = 0; // seconds
    std::vector<double> load; // per thread, of one host CPU: 1 is all of it. The VMM first
    double mips = 0; // of all vCPUs together
    std::vector<std::map<LogicalCpu, uint64_t>> observed; // per thread: how often it was seen where
};

// A kind of exit from guest code, and how many there were in a second.
struct ExitRate {
    enum class Kind { MemoryWrite, Interrupt, PortWrite, PortRead, MemoryRead, Woken, Halted };

    Kind kind;
    double perSecond;
};

// A change of placement, at a moment of host time.
struct PlacementMark {
    double time; // seconds
    std::string label; // "1(s) → 1(d)"
};

// The last minute of a machine in figures, computed from the differences of its successive samples.
class TimingHistory {
public:
    static constexpr double span = 60; // seconds

    // A sample that is not later than the last one is ignored.
    void add(const MachineSample&);
    void mark(std::string label); // at the time of the newest sample
    void clear();

    const std::deque<TimingPoint>& points() const { return m_points; }
    const std::deque<PlacementMark>& marks() const { return m_marks; }
    const std::vector<ExitRate>& exits() const { return m_exits; } // of the last interval
    double now() const { return m_last ? toSeconds(m_last->hostTime) : 0; }

    // The share of its sightings in which a thread was seen on each CPU, over the last so many seconds.
    std::map<LogicalCpu, double> observedShares(size_t thread, double lastSeconds) const;
    double load(size_t thread) const; // of the last interval
    CpuSet granted(size_t thread) const; // by the kernel, at the last sample; empty: no such thread
    double mips() const;

    // How far guest time is ahead (+) of host time over the last minute, as a share of host time. Ticks that the guest
    // never got count as time that it does not know of.
    double drift() const;

private:
    static double toSeconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

    struct Instant {
        double host;
        double guest;
    };

    std::deque<TimingPoint> m_points;
    std::deque<Instant> m_instants;
    std::deque<PlacementMark> m_marks;
    std::vector<ExitRate> m_exits;
    std::optional<MachineSample> m_last;
};

// The top of an axis that never jumps: grows at once, shrinks after ten seconds in which less was enough.
class AxisTop {
public:
    // Tops are 1, 2, 2.5 or 5 times a power of ten, and at least the least.
    explicit AxisTop(double least)
        : m_least(least)
        , m_top(least)
    {
    }

    double update(double maximum, double now); // seconds
    static double niceTop(double value);

private:
    double m_least;
    double m_top;
    double m_enoughSince = 0; // when less began to be enough
    bool m_lessIsEnough = false;
};

} // namespace namsan
