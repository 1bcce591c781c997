// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/display/frame_mailbox.h"

#include <algorithm>

namespace namsan {

namespace {
constexpr uint8_t bufferNumber = 3;

PixelRect clippedTo(const PixelRect& rect, int width, int height)
{
    const int left = std::clamp(rect.x, 0, width);
    const int top = std::clamp(rect.y, 0, height);
    const int right = std::clamp(rect.x + std::max(rect.width, 0), left, width);
    const int bottom = std::clamp(rect.y + std::max(rect.height, 0), top, height);
    return { left, top, right - left, bottom - top };
}

void copyPixels(const Frame& from, Frame& to, const PixelRect& rect)
{
    for (int y = rect.y; y < rect.y + rect.height; ++y) {
        const auto offset = static_cast<std::ptrdiff_t>(y) * from.width + rect.x;
        std::copy_n(from.pixels.begin() + offset, rect.width, to.pixels.begin() + offset);
    }
}
} // namespace

// Each buffer belongs to one side at a time: m_writing to the publisher, m_reading to the viewer, and the one in the
// middle changes hands by an exchange that releases what was written to it and acquires what the other side released.
void FrameMailbox::publish(const Frame& frame)
{
    const PixelRect whole { 0, 0, frame.width, frame.height };
    const bool resized = frame.width != m_width || frame.height != m_height;
    const PixelRect damage = resized ? whole : clippedTo(frame.damage, frame.width, frame.height);
    m_width = frame.width;
    m_height = frame.height;
    for (PixelRect& stale : m_stale)
        stale = resized ? whole : united(stale, damage);

    // If the viewer takes the last frame just after this look, its next damage is larger than it need be, never
    // smaller.
    const bool lastWasTaken = !(m_middle.load(std::memory_order_acquire) & fresh);
    m_untaken = lastWasTaken || resized ? damage : united(m_untaken, damage);

    Frame& buffer = m_buffers[m_writing];
    if (buffer.width != frame.width || buffer.height != frame.height) {
        buffer.width = frame.width;
        buffer.height = frame.height;
        buffer.pixels.resize(frame.pixels.size());
    }
    copyPixels(frame, buffer, m_stale[m_writing]);
    m_stale[m_writing] = {};
    buffer.damage = m_untaken;
    buffer.serial = frame.serial;
    buffer.text = frame.text;

    m_writing = m_middle.exchange(m_writing | fresh, std::memory_order_acq_rel) & bufferNumber;
    if (m_notifier)
        m_notifier();
}

const Frame* FrameMailbox::take()
{
    if (!(m_middle.load(std::memory_order_relaxed) & fresh))
        return nullptr;
    m_reading = m_middle.exchange(m_reading, std::memory_order_acq_rel) & bufferNumber;
    return &m_buffers[m_reading];
}

} // namespace namsan
