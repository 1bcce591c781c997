// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/display_output.h"

#include <algorithm>

namespace namsan {

DisplayOutput::DisplayOutput(Timers& timers, ScreenSource& source)
    : m_timers(timers)
    , m_source(source)
    , m_timer(timers, [this] {
        refresh();
        scheduleNext();
    })
{
    source.changed().listen([this](const ScreenChanged&) {
        if (!m_viewers.empty())
            armBefore(std::max(m_timers.now() + gatherTime, m_earliestNext));
    });
}

FrameMailbox& DisplayOutput::addViewer(std::function<void()> notifier)
{
    refresh();
    auto& viewer = *m_viewers.emplace_back(std::make_unique<FrameMailbox>());
    viewer.setNotifier(std::move(notifier));
    viewer.publish(m_frame); // whole, since it is the mailbox's first
    m_lastActivity = m_timers.now();
    scheduleNext();
    return viewer;
}

void DisplayOutput::removeViewer(FrameMailbox& viewer)
{
    std::erase_if(m_viewers, [&viewer](const auto& mailbox) { return mailbox.get() == &viewer; });
    if (m_viewers.empty())
        m_timer.cancel();
}

const Frame& DisplayOutput::currentFrame()
{
    refresh();
    scheduleNext();
    return m_frame;
}

void DisplayOutput::expectChange()
{
    m_lastActivity = m_timers.now();
    m_answersUntil = m_lastActivity + answerTime;
    if (!m_viewers.empty() && m_source.mustBePolled())
        armBefore(std::max(m_timers.now() + gatherTime, m_earliestNext));
}

void DisplayOutput::refresh()
{
    m_source.paint(m_frame);
    const GuestTime now = m_timers.now();
    const bool answers = now < m_answersUntil;
    if (m_frame.damage.empty()) { // a cursor that has moved within its cell, for example
        m_earliestNext = now + (answers && !m_source.mustBePolled() ? answerPictureTime : pictureTime);
        return;
    }

    const int64_t pixels = int64_t { m_frame.damage.width } * m_frame.damage.height;
    m_earliestNext = answers && pixels <= mostPixelsOfAnswer ? now + answerPictureTime
                                                             : now + pictureTime * (1 + pixels / pixelsPerPictureTime);
    m_lastActivity = now;
    ++m_frame.serial;
    for (const auto& viewer : m_viewers)
        viewer->publish(m_frame);
}

void DisplayOutput::scheduleNext()
{
    if (m_viewers.empty())
        return;
    m_timer.cancel();
    if (const auto blink = m_source.nextBlink())
        armBefore(std::max(*blink, m_earliestNext));
    if (m_source.mustBePolled()) {
        const GuestTime now = m_timers.now();
        const bool still = now - m_lastActivity >= stillAfter;
        armBefore(still ? std::max(now + idlePollTime, m_earliestNext) : m_earliestNext);
    }
}

void DisplayOutput::armBefore(GuestTime deadline)
{
    if (!m_timer.armed() || deadline < m_timer.deadline())
        m_timer.armAt(deadline);
}

} // namespace namsan
