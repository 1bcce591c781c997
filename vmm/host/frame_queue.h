// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/devices/network/network_link.h"

#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace namsan {

// Frames on their way from one thread to another, up to so many bytes. Every call is safe from any thread; the lock
// inside is held for a push or a pop and nothing else.
class FrameQueue {
public:
    explicit FrameQueue(size_t capacityInBytes)
        : m_capacity(capacityInBytes)
    {
    }

    struct Pushed {
        size_t lost = 0; // frames for which there was no room
        bool wasEmpty = false; // so that whoever takes frames may be asleep
    };
    Pushed push(std::vector<NetworkFrame> frames)
    {
        const std::lock_guard guard(m_mutex);
        Pushed pushed { 0, m_frames.empty() };
        for (NetworkFrame& frame : frames) {
            if (m_bytes + frame.size() > m_capacity) {
                ++pushed.lost;
                continue;
            }
            m_bytes += frame.size();
            m_frames.push_back(std::move(frame));
        }
        return pushed;
    }
    Pushed push(NetworkFrame frame)
    {
        const std::lock_guard guard(m_mutex);
        if (m_bytes + frame.size() > m_capacity)
            return { 1, m_frames.empty() };
        const bool wasEmpty = m_frames.empty();
        m_bytes += frame.size();
        m_frames.push_back(std::move(frame));
        return { 0, wasEmpty };
    }

    bool pop(NetworkFrame& frame)
    {
        const std::lock_guard guard(m_mutex);
        if (m_frames.empty())
            return false;
        frame = std::move(m_frames.front());
        m_frames.pop_front();
        m_bytes -= frame.size();
        return true;
    }
    std::deque<NetworkFrame> popAll()
    {
        const std::lock_guard guard(m_mutex);
        m_bytes = 0;
        return std::exchange(m_frames, {});
    }

private:
    const size_t m_capacity;
    std::mutex m_mutex;
    std::deque<NetworkFrame> m_frames;
    size_t m_bytes = 0;
};

} // namespace namsan
