// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/devices/input/input_event.h"

#include <optional>

namespace namsan {

// How a key speaks in scan code set 2.
struct ScanCode {
    uint8_t code;
    bool extended; // E0 goes before it
    bool makeOnly; // says nothing when released and does not repeat

    bool operator==(const ScanCode&) const = default;
};

// The keys whose sequences depend on other keys: PS2Keyboard makes them.
constexpr HidUsage printScreenUsage = 0x46;
constexpr HidUsage pauseUsage = 0x48;
constexpr HidUsage leftControlUsage = 0xe0;
constexpr HidUsage leftShiftUsage = 0xe1;
constexpr HidUsage leftAltUsage = 0xe2;
constexpr HidUsage rightControlUsage = 0xe4;
constexpr HidUsage rightShiftUsage = 0xe5;
constexpr HidUsage rightAltUsage = 0xe6;

// The scan code of a key; empty where a PC keyboard has no such key, and for Print Screen and Pause.
// "USB HID to PS/2 Scan Code Translation Table" (Microsoft, 1999), with the Japanese, Korean and Brazilian keys.
std::optional<ScanCode> scanCodeOf(HidUsage);

} // namespace namsan
