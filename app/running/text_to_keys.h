// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/devices/input/input_event.h"

#include <string>
#include <string_view>
#include <vector>

namespace namsan {

// The key events that type a text on a keyboard with US labels: each key pressed and released, with Shift where it
// takes one. \n, \t, \e and \\ stand for Enter, Tab, Escape and the backslash. Fails with a sentence where the keyboard
// has no such character.
Result<std::vector<KeyEvent>> textToKeys(std::string_view);

// One order of a script: wait for a text, then type.
struct TypingStep {
    std::string waitFor;
    std::vector<KeyEvent> keys;
};

// "TEXT=>keys", keys as textToKeys() takes them.
Result<TypingStep> parseTypingStep(std::string_view);

} // namespace namsan
