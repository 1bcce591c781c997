// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/display/frame_mailbox.h"
#include "vmm/display/screen_source.h"
#include "vmm/time/timers.h"

#include <functional>
#include <memory>
#include <vector>

namespace namsan {

// The cable from a display adapter to those who look at it: paints what has changed and publishes it to each viewer.
// All calls under the board lock; painting is done by the board thread.
//
// What it costs is bounded. Without viewers, nothing. A source that tells of its changes (VGA text) is painted only
// after one, at most once per picture time, and for a blinking cell 4 times a second. A source that must be polled
// (a linear frame buffer) is looked at once per picture time while it changes or input has just come, and 20 times a
// second after it has been still for a while. Large damage makes the next picture wait in proportion; small damage in
// answer to input, which often comes in pieces, does not wait that long: what was typed is to be seen.
class DisplayOutput {
public:
    static constexpr GuestTime pictureTime = std::chrono::milliseconds(16);
    static constexpr GuestTime idlePollTime = std::chrono::milliseconds(50);
    static constexpr GuestTime stillAfter = std::chrono::milliseconds(250); // without a change: poll less
    static constexpr GuestTime gatherTime = std::chrono::milliseconds(1); // from the first change to its picture
    static constexpr GuestTime answerTime = std::chrono::milliseconds(100); // after input
    static constexpr GuestTime answerPictureTime = std::chrono::milliseconds(3);
    static constexpr int64_t mostPixelsOfAnswer = 1 << 16;
    static constexpr int64_t pixelsPerPictureTime = 1 << 21; // damaged: more makes the next picture wait longer

    // The source outlives the output and has no other.
    DisplayOutput(Timers&, ScreenSource&);

    // A new viewer, whose mailbox holds the whole picture at once. The notifier is called at each publish.
    FrameMailbox& addViewer(std::function<void()> notifier);
    void removeViewer(FrameMailbox&);

    // The screen as it is now, for screenshots and scripts, with or without viewers. Valid until the next call of any
    // function; its damage means nothing.
    const Frame& currentFrame();

    // Something was sent to the guest that it will probably answer on the screen: look often for a while.
    void expectChange();

private:
    void refresh();
    void scheduleNext();
    void armBefore(GuestTime deadline);

    Timers& m_timers;
    ScreenSource& m_source;
    Timer m_timer;
    Frame m_frame;
    std::vector<std::unique_ptr<FrameMailbox>> m_viewers;
    GuestTime m_earliestNext {}; // not to paint before this again
    GuestTime m_lastActivity {};
    GuestTime m_answersUntil {};
};

} // namespace namsan
