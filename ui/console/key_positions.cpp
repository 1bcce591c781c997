// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/console/key_positions.h"

#include <QKeyEvent>

#include <array>

namespace namsan {

namespace {

// Indexed by Linux event code; 0 is no key. USB HID Usage Tables 1.4, section 10, "Keyboard/Keypad Page".
// clang-format off
constexpr std::array<HidUsage, 128> usages {
    0, 0x29, 0x1E, 0x1F, 0x20, 0x21, 0x22, 0x23, // 0
    0x24, 0x25, 0x26, 0x27, 0x2D, 0x2E, 0x2A, 0x2B, // 8
    0x14, 0x1A, 0x08, 0x15, 0x17, 0x1C, 0x18, 0x0C, // 16
    0x12, 0x13, 0x2F, 0x30, 0x28, 0xE0, 0x04, 0x16, // 24
    0x07, 0x09, 0x0A, 0x0B, 0x0D, 0x0E, 0x0F, 0x33, // 32
    0x34, 0x35, 0xE1, 0x31, 0x1D, 0x1B, 0x06, 0x19, // 40
    0x05, 0x11, 0x10, 0x36, 0x37, 0x38, 0xE5, 0x55, // 48
    0xE2, 0x2C, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, // 56
    0x3F, 0x40, 0x41, 0x42, 0x43, 0x53, 0x47, 0x5F, // 64
    0x60, 0x61, 0x56, 0x5C, 0x5D, 0x5E, 0x57, 0x59, // 72
    0x5A, 0x5B, 0x62, 0x63, 0, 0, 0x64, 0x44, // 80
    0x45, 0x87, 0, 0, 0x8A, 0x88, 0x8B, 0, // 88
    0x58, 0xE4, 0x54, 0x46, 0xE6, 0, 0x4A, 0x52, // 96
    0x4B, 0x50, 0x4F, 0x4D, 0x51, 0x4E, 0x49, 0x4C, // 104
    0, 0, 0, 0, 0, 0, 0, 0x48, // 112
    0, 0, 0, 0, 0x89, 0xE3, 0xE7, 0x65, // 120
};
// clang-format on

std::optional<HidUsage> usageOfPunctuation(int key)
{
    switch (key) {
    case Qt::Key_Minus:
    case Qt::Key_Underscore:
        return 0x2D;
    case Qt::Key_Equal:
    case Qt::Key_Plus:
        return 0x2E;
    case Qt::Key_BracketLeft:
    case Qt::Key_BraceLeft:
        return 0x2F;
    case Qt::Key_BracketRight:
    case Qt::Key_BraceRight:
        return 0x30;
    case Qt::Key_Backslash:
    case Qt::Key_Bar:
        return 0x31;
    case Qt::Key_Semicolon:
    case Qt::Key_Colon:
        return 0x33;
    case Qt::Key_Apostrophe:
    case Qt::Key_QuoteDbl:
        return 0x34;
    case Qt::Key_QuoteLeft:
    case Qt::Key_AsciiTilde:
        return 0x35;
    case Qt::Key_Comma:
    case Qt::Key_Less:
        return 0x36;
    case Qt::Key_Period:
    case Qt::Key_Greater:
        return 0x37;
    case Qt::Key_Slash:
    case Qt::Key_Question:
        return 0x38;
    default:
        break;
    }
    // The shifted digits of a US keyboard.
    static constexpr std::array<int, 10> shifted { Qt::Key_Exclam, Qt::Key_At, Qt::Key_NumberSign, Qt::Key_Dollar,
        Qt::Key_Percent, Qt::Key_AsciiCircum, Qt::Key_Ampersand, Qt::Key_Asterisk, Qt::Key_ParenLeft,
        Qt::Key_ParenRight };
    for (size_t i = 0; i < shifted.size(); ++i) {
        if (shifted[i] == key)
            return static_cast<HidUsage>(0x1E + i);
    }
    return std::nullopt;
}

std::optional<HidUsage> usageOfNamedKey(int key)
{
    switch (key) {
    case Qt::Key_Return:
        return 0x28;
    case Qt::Key_Enter:
        return 0x58;
    case Qt::Key_Escape:
        return 0x29;
    case Qt::Key_Backspace:
        return 0x2A;
    case Qt::Key_Tab:
    case Qt::Key_Backtab:
        return 0x2B;
    case Qt::Key_Space:
        return 0x2C;
    case Qt::Key_CapsLock:
        return 0x39;
    case Qt::Key_Print:
    case Qt::Key_SysReq:
        return 0x46;
    case Qt::Key_ScrollLock:
        return 0x47;
    case Qt::Key_Pause:
        return 0x48;
    case Qt::Key_Insert:
        return 0x49;
    case Qt::Key_Home:
        return 0x4A;
    case Qt::Key_PageUp:
        return 0x4B;
    case Qt::Key_Delete:
        return 0x4C;
    case Qt::Key_End:
        return 0x4D;
    case Qt::Key_PageDown:
        return 0x4E;
    case Qt::Key_Right:
        return 0x4F;
    case Qt::Key_Left:
        return 0x50;
    case Qt::Key_Down:
        return 0x51;
    case Qt::Key_Up:
        return 0x52;
    case Qt::Key_NumLock:
        return 0x53;
    case Qt::Key_Menu:
        return 0x65;
    case Qt::Key_Control:
        return 0xE0;
    case Qt::Key_Shift:
        return 0xE1;
    case Qt::Key_Alt:
        return 0xE2;
    case Qt::Key_Meta:
    case Qt::Key_Super_L:
        return 0xE3;
    case Qt::Key_AltGr:
        return 0xE6;
    case Qt::Key_Super_R:
        return 0xE7;
    default:
        return std::nullopt;
    }
}

std::optional<HidUsage> usageOfUsKey(int key)
{
    if (key >= Qt::Key_A && key <= Qt::Key_Z)
        return static_cast<HidUsage>(0x04 + (key - Qt::Key_A));
    if (key == Qt::Key_0)
        return 0x27;
    if (key >= Qt::Key_1 && key <= Qt::Key_9)
        return static_cast<HidUsage>(0x1E + (key - Qt::Key_1));
    if (key >= Qt::Key_F1 && key <= Qt::Key_F12)
        return static_cast<HidUsage>(0x3A + (key - Qt::Key_F1));
    if (const auto usage = usageOfPunctuation(key))
        return usage;
    return usageOfNamedKey(key);
}

} // namespace

std::optional<HidUsage> usageOfLinuxKey(quint32 code)
{
    if (code >= usages.size() || usages[code] == 0)
        return std::nullopt;
    return usages[code];
}

std::optional<HidUsage> usageOf(const QKeyEvent& event)
{
    constexpr quint32 firstScanCode = 8; // X Window System Protocol, "Keyboards": key codes begin at 8
    const quint32 scanCode = event.nativeScanCode();
    if (scanCode > firstScanCode)
        return usageOfLinuxKey(scanCode - firstScanCode);
    return usageOfUsKey(event.key());
}

} // namespace namsan
