// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/typing_script.h"
#include "vmm/base/result.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

// One order of a script: wait for a text on the serial console, then carry the guest to an engine.
struct EngineMoveStep {
    std::string waitFor;
    std::string engine;
};

// "TEXT=>ENGINE". Fails with a sentence for what is no such order, and for an engine that does not exist.
Result<EngineMoveStep> parseEngineMoveStep(std::string_view);

// Says when a script's moves are due: each when its text has come since the step before it. Not thread-safe.
class MoveScript {
public:
    explicit MoveScript(std::vector<EngineMoveStep>);

    // The engines to move to now, in order.
    std::vector<std::string> serialOutput(std::span<const uint8_t>);

private:
    void beginWaiting();

    std::deque<EngineMoveStep> m_steps; // the first one is waited for
    std::optional<StreamWait> m_wait;
};

} // namespace namsan
