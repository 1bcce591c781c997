// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/timing/timing_history.h"

#include <algorithm>
#include <cmath>

namespace namsan {

namespace {

// Counters only grow; a machine that was started again begins at 0, which must not look like a huge difference.
uint64_t grown(uint64_t before, uint64_t after)
{
    return after >= before ? after - before : after;
}

uint64_t grown(const MachineSample& before, const MachineSample& after, uint64_t VcpuFigures::*counter)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < after.vcpus.size(); ++i)
        sum += grown(i < before.vcpus.size() ? before.vcpus[i].*counter : 0, after.vcpus[i].*counter);
    return sum;
}

std::vector<ExitRate> exitRates(const MachineSample& before, const MachineSample& after, double interval)
{
    const auto rate = [&](ExitRate::Kind kind, uint64_t VcpuFigures::*counter) {
        return ExitRate { kind, static_cast<double>(grown(before, after, counter)) / interval };
    };
    using Kind = ExitRate::Kind;
    std::vector<ExitRate> rates { rate(Kind::MemoryWrite, &VcpuFigures::mmioWrites),
        rate(Kind::Interrupt, &VcpuFigures::interrupts), rate(Kind::PortWrite, &VcpuFigures::portWrites),
        rate(Kind::PortRead, &VcpuFigures::portReads), rate(Kind::MemoryRead, &VcpuFigures::mmioReads),
        rate(Kind::Woken, &VcpuFigures::kicks), rate(Kind::Halted, &VcpuFigures::halts) };
    return rates;
}

std::map<LogicalCpu, uint64_t> sightings(const ThreadFigures* before, const ThreadFigures& after)
{
    std::map<LogicalCpu, uint64_t> seen;
    for (const auto& [cpu, count] : after.observed) {
        uint64_t earlier = 0;
        if (before && before->observed.contains(cpu))
            earlier = before->observed.at(cpu);
        if (const uint64_t difference = grown(earlier, count))
            seen[cpu] = difference;
    }
    return seen;
}

} // namespace

void TimingHistory::add(const MachineSample& sample)
{
    if (m_last && sample.hostTime <= m_last->hostTime)
        return;
    const double time = toSeconds(sample.hostTime);
    m_instants.push_back({ time, toSeconds(sample.guestTime - sample.lateTicks) });
    if (m_last) {
        TimingPoint point;
        point.time = time;
        point.interval = toSeconds(sample.hostTime - m_last->hostTime);
        for (size_t i = 0; i < sample.threads.size(); ++i) {
            const ThreadFigures* before = i < m_last->threads.size() ? &m_last->threads[i] : nullptr;
            const auto used = sample.threads[i].cpuTime - (before ? before->cpuTime : std::chrono::nanoseconds(0));
            point.load.push_back(std::clamp(toSeconds(used) / point.interval, 0.0, 1.0));
            point.observed.push_back(sightings(before, sample.threads[i]));
        }
        point.mips = static_cast<double>(grown(*m_last, sample, &VcpuFigures::instructions)) / point.interval / 1e6;
        m_exits = exitRates(*m_last, sample, point.interval);
        m_points.push_back(std::move(point));
    }
    m_last = sample;

    // One point more than the span, so that the plot's line reaches its left edge.
    while (m_points.size() > 1 && m_points[1].time < time - span)
        m_points.pop_front();
    while (m_instants.size() > 2 && m_instants[1].host < time - span)
        m_instants.pop_front();
    while (!m_marks.empty() && m_marks.front().time < time - span)
        m_marks.pop_front();
}

void TimingHistory::mark(std::string label)
{
    constexpr size_t most = 100;
    m_marks.push_back({ now(), std::move(label) });
    if (m_marks.size() > most)
        m_marks.pop_front();
}

void TimingHistory::clear()
{
    *this = TimingHistory();
}

std::map<LogicalCpu, double> TimingHistory::observedShares(size_t thread, double lastSeconds) const
{
    std::map<LogicalCpu, double> shares;
    double sum = 0;
    for (const TimingPoint& point : m_points) {
        if (point.time <= now() - lastSeconds || thread >= point.observed.size())
            continue;
        for (const auto& [cpu, count] : point.observed[thread]) {
            shares[cpu] += static_cast<double>(count);
            sum += static_cast<double>(count);
        }
    }
    for (auto& [cpu, share] : shares)
        share /= sum;
    return shares;
}

double TimingHistory::load(size_t thread) const
{
    return m_points.empty() || thread >= m_points.back().load.size() ? 0 : m_points.back().load[thread];
}

CpuSet TimingHistory::granted(size_t thread) const
{
    return m_last && thread < m_last->threads.size() ? m_last->threads[thread].granted : CpuSet {};
}

double TimingHistory::mips() const
{
    return m_points.empty() ? 0 : m_points.back().mips;
}

double TimingHistory::drift() const
{
    if (m_instants.size() < 2)
        return 0;
    const double host = m_instants.back().host - m_instants.front().host;
    const double guest = m_instants.back().guest - m_instants.front().guest;
    return (guest - host) / host;
}

double AxisTop::niceTop(double value)
{
    if (!(value > 0) || !std::isfinite(value))
        return 1;
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double factor : { 1.0, 2.0, 2.5, 5.0 }) {
        if (value <= factor * power)
            return factor * power;
    }
    return 10 * power;
}

double AxisTop::update(double maximum, double now)
{
    constexpr double patience = 10; // seconds
    const double wanted = std::max(m_least, niceTop(maximum));
    if (wanted >= m_top) {
        m_top = wanted;
        m_lessIsEnough = false;
    } else if (!m_lessIsEnough) {
        m_lessIsEnough = true;
        m_enoughSince = now;
    } else if (now - m_enoughSince >= patience) {
        m_top = wanted;
        m_lessIsEnough = false;
    }
    return m_top;
}

} // namespace namsan
