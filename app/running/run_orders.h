// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/move_script.h"
#include "app/running/text_to_keys.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace namsan {

// What a run is to do beside running: when it is over, what is typed, what is kept. Empty strings: nothing.
struct RunOrders {
    std::string until = {}; // over when a complete line with this text came over the serial line
    std::string untilScreen = {}; // over when a line of the text screen holds this text
    std::string workload = {}; // over when the guest reports this workload's end
    std::optional<std::chrono::milliseconds> timeout = {}; // of the host's time since the start
    std::vector<TypingStep> typing = {};
    std::vector<EngineMoveStep> moves = {};
    std::string holdAt = {}; // paused as soon as the guest's line says that this workload begins; once
    std::string serial = {}; // where COM1 goes: "stdio" (input, too) or a file
    std::string screenshot = {}; // PNG of the guest's last picture
    std::string windowScreenshot = {}; // PNG of the window at the end of the run; only for runs in a window
    std::string record = {}; // JSON of the run

    bool asksForText() const { return !until.empty() || !untilScreen.empty() || !workload.empty(); }
    // Without one of these a window stays open when the guest has ended.
    bool endsByItself() const { return asksForText() || timeout; }
    bool watchesScreen() const { return !untilScreen.empty() || !typing.empty() || !screenshot.empty(); }
};

// What the program returns to the shell. A guest with a debug exit port chooses any odd number.
enum class ExitCode {
    Success = 0, // the text was seen; or none was asked for, and the guest powered off or halted
    BadInput = 2,
    TimedOut = 3,
    GuestCrashed = 4,
    GoalMissed = 5, // the guest ended without the text, or reported that a workload failed
};

struct RunOutcome {
    ExitCode code;
    std::string why; // one sentence for the user; empty on success
};

} // namespace namsan
