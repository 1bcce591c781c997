// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/time/clock.h"

#include <functional>
#include <optional>

namespace namsan {

// The timers of an engine's local APICs, run by the board thread without the board lock. Any thread.
class EngineTimers {
public:
    virtual ~EngineTimers() = default;

    // When the next one expires; empty when none is armed.
    virtual std::optional<GuestTime> nextDeadline() const = 0;

    // Called on any thread, without a lock of its own, when the next deadline has moved closer; with the time until
    // then, or less than nothing.
    virtual void setDeadlineMoved(std::function<void(GuestTime delay)>) = 0;

    // Runs those whose deadline has come.
    virtual void runDue() = 0;

    // How far the most belated periodic timer is behind: ticks that are still to come.
    virtual GuestTime lateness() const = 0;
};

} // namespace namsan
