// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/input/hid_scan_codes.h"

#include <array>

namespace namsan {

namespace {
constexpr HidUsage firstModifier = 0xe0;
constexpr uint16_t e0 = 0xe000; // beside the code
constexpr uint16_t makeOnly = 0x0100;

// By usage from 00 on; 0: no such key.
constexpr std::array<uint16_t, 0x98> keys { // 00-0F: no event and errors; A to L
    0, 0, 0, 0, 0x1c, 0x32, 0x21, 0x23, 0x24, 0x2b, 0x34, 0x33, 0x43, 0x3b, 0x42, 0x4b,
    // 10-1F: M to Z, 1, 2
    0x3a, 0x31, 0x44, 0x4d, 0x15, 0x2d, 0x1b, 0x2c, 0x3c, 0x2a, 0x1d, 0x22, 0x35, 0x1a, 0x16, 0x1e,
    // 20-2F: 3 to 0, Enter, Escape, Backspace, Tab, Space, minus, equals, left bracket
    0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x5a, 0x76, 0x66, 0x0d, 0x29, 0x4e, 0x55, 0x54,
    // 30-3F: right bracket, backslash, its non-US place, semicolon, apostrophe, grave, comma, period, slash, Caps Lock,
    // F1 to F6
    0x5b, 0x5d, 0x5d, 0x4c, 0x52, 0x0e, 0x41, 0x49, 0x4a, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03, 0x0b,
    // 40-4F: F7 to F12, Print Screen, Scroll Lock, Pause, Insert, Home, Page Up, Delete, End, Page Down, right
    0x83, 0x0a, 0x01, 0x09, 0x78, 0x07, 0, 0x7e, 0, e0 | 0x70, e0 | 0x6c, e0 | 0x7d, e0 | 0x71, e0 | 0x69, e0 | 0x7a,
    e0 | 0x74,
    // 50-5F: left, down, up, Num Lock; keypad: slash, asterisk, minus, plus, Enter, 1 to 7
    e0 | 0x6b, e0 | 0x72, e0 | 0x75, 0x77, e0 | 0x4a, 0x7c, 0x7b, 0x79, e0 | 0x5a, 0x69, 0x72, 0x7a, 0x6b, 0x73, 0x74,
    0x6c,
    // 60-6F: keypad 8, 9, 0, period; the non-US key beside the left Shift, Application, Power, keypad equals, F13 to
    // F20
    0x75, 0x7d, 0x70, 0x71, 0x61, e0 | 0x2f, e0 | 0x37, 0x0f, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40,
    // 70-7F: F21 to F24; Mute
    0x48, 0x50, 0x57, 0x5f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, e0 | 0x23,
    // 80-8F: louder, softer; Brazilian keypad comma; International 1 (Ro, Brazilian slash), 2 (Katakana/Hiragana), 3
    // (Yen), 4 (Henkan), 5 (Muhenkan), 6 (keypad comma of the PC-9800)
    e0 | 0x32, e0 | 0x21, 0, 0, 0, 0x6d, 0, 0x51, 0x13, 0x6a, 0x64, 0x67, 0x27, 0, 0, 0,
    // 90-97: Hangul, Hanja, Katakana, Hiragana, Zenkaku/Hankaku
    makeOnly | 0xf2, makeOnly | 0xf1, 0x63, 0x62, 0x5f, 0, 0, 0
};

// E0-E7: left Control, Shift, Alt, GUI and the right ones.
constexpr std::array<uint16_t, 8> modifiers { 0x14, 0x12, 0x11, e0 | 0x1f, e0 | 0x14, 0x59, e0 | 0x11, e0 | 0x27 };
} // namespace

std::optional<ScanCode> scanCodeOf(HidUsage usage)
{
    uint16_t key = 0;
    if (usage < keys.size())
        key = keys[usage];
    else if (usage >= firstModifier && usage - firstModifier < static_cast<int>(modifiers.size()))
        key = modifiers[usage - firstModifier];
    if (key == 0)
        return {};
    return ScanCode { static_cast<uint8_t>(key), (key & e0) != 0, (key & makeOnly) != 0 };
}

} // namespace namsan
