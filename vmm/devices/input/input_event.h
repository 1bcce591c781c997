// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <variant>

namespace namsan {

// A key by its position on the keyboard: usage on the Keyboard/Keypad page (07h) of the USB HID Usage Tables,
// e.g. 0x04 for the key that a US keyboard labels A. The host's layout never matters.
using HidUsage = uint8_t;

struct KeyEvent {
    HidUsage usage;
    bool pressed;
};

struct PointerMove {
    int dx; // to the right, in the mouse's counts (one per screen pixel)
    int dy; // down
};

enum class PointerButton : uint8_t { Left, Right, Middle };

struct PointerButtonEvent {
    PointerButton button;
    bool pressed;
};

struct PointerWheel {
    int steps; // positive: away from the user
};

// What a window, a VNC viewer or a script sends to a machine's input devices.
using InputEvent = std::variant<KeyEvent, PointerMove, PointerButtonEvent, PointerWheel>;

} // namespace namsan
