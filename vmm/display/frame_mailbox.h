// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/display/frame.h"

#include <array>
#include <atomic>
#include <functional>

namespace namsan {

// Frames on their way from one display device to one viewer: three buffers, no lock, the newest wins; what the viewer
// never saw is united into the next damage. One thread publishes (the board thread), one takes (the viewer's).
class FrameMailbox {
public:
    // Board thread. Copies the damaged part into a free buffer (all of it after a change of size) and makes it the
    // newest. damage is in pixels of the frame.
    void publish(const Frame&);

    // Viewer's thread. The newest frame since the last take, or nullptr when there is none. Valid until the next take.
    const Frame* take();

    // Called on the board thread after each publish, to wake the viewer. Set before the first publish.
    void setNotifier(std::function<void()> notifier) { m_notifier = std::move(notifier); }

private:
    static constexpr uint8_t fresh = 4; // beside the buffer's number: not taken yet

    std::array<Frame, 3> m_buffers;
    std::array<PixelRect, 3> m_stale; // what each buffer lacks of the newest picture; the publisher's
    std::atomic<uint8_t> m_middle = 1;
    uint8_t m_writing = 0;
    uint8_t m_reading = 2;
    PixelRect m_untaken; // what the viewer may not have seen of the frames published so far; the publisher's
    int m_width = 0; // of the newest frame; the publisher's
    int m_height = 0;
    std::function<void()> m_notifier;
};

} // namespace namsan
