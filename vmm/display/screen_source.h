// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"
#include "vmm/display/frame.h"
#include "vmm/time/clock.h"

#include <optional>

namespace namsan {

// A screen's content is no longer what was painted last. Sent once, until it is painted again.
struct ScreenChanged { };

// What a screen can show: a display adapter as the DisplayOutput sees it. All calls under the board lock.
class ScreenSource {
public:
    virtual ~ScreenSource() = default;

    // Brings the frame up to date: its size, pixels and text, with what changed since the last call as its damage
    // (empty where nothing did). It is the same frame each time, and nobody else changes it.
    virtual void paint(Frame&) = 0;

    // Whether the guest can write what is shown without anybody being told: then it must be looked at from time to
    // time.
    virtual bool mustBePolled() const = 0;

    // When the picture next changes by itself, as a blinking cursor does.
    virtual std::optional<GuestTime> nextBlink() const = 0;

    Channel<ScreenChanged>& changed() { return m_changed; }

private:
    Channel<ScreenChanged> m_changed;
};

} // namespace namsan
