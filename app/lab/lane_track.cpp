// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lane_track.h"

namespace namsan {

namespace {

using namespace std::chrono_literals;

constexpr auto speedInterval = 500ms;

double toSeconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

double instructionsIn(const MachineSample& sample)
{
    double sum = 0;
    for (const VcpuFigures& vcpu : sample.vcpus)
        sum += static_cast<double>(vcpu.instructions);
    return sum;
}

} // namespace

void LaneTrack::begin(GuestTime mark)
{
    *this = LaneTrack();
    m_mark = mark;
}

void LaneTrack::add(const MachineSample& sample)
{
    if (!m_mark || m_finished)
        return;
    m_guestSeconds = std::max(m_guestSeconds, toSeconds(sample.guestTime - *m_mark));
    if (!m_before)
        m_before = sample;
    const auto passed = sample.hostTime - m_before->hostTime;
    if (passed < speedInterval)
        return;
    const double grown = instructionsIn(sample) - instructionsIn(*m_before);
    m_speeds.push_back({ m_guestSeconds, std::max(0.0, grown) / toSeconds(passed) / 1e6 });
    m_before = sample;
    if (m_speeds.size() > mostPoints) { // every second one leaves
        for (size_t i = 0; 2 * i < m_speeds.size(); ++i)
            m_speeds[i] = m_speeds[2 * i];
        m_speeds.resize((m_speeds.size() + 1) / 2);
    }
}

void LaneTrack::note(const WorkloadProgress& progress)
{
    if (!m_mark || m_finished)
        return;
    const bool forward = m_steps.empty()
        || (progress.done > m_steps.back().done && progress.guestSeconds >= m_steps.back().guestSeconds);
    if (!forward || (m_total != 0 && progress.total != m_total) || m_steps.size() >= mostPoints)
        return;
    m_total = progress.total;
    m_steps.push_back({ progress.guestSeconds, progress.done });
}

void LaneTrack::finish(double guestSeconds)
{
    m_guestSeconds = guestSeconds;
    m_finished = true;
}

std::optional<double> LaneTrack::mips() const
{
    return m_speeds.empty() ? std::nullopt : std::optional(m_speeds.back().mips);
}

} // namespace namsan
