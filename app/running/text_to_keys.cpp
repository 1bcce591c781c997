// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/text_to_keys.h"

#include <fmt/format.h>

#include <optional>

namespace namsan {

namespace {

// USB HID Usage Tables 1.12, section 10, Keyboard/Keypad page.
constexpr HidUsage keyA = 0x04;
constexpr HidUsage key1 = 0x1e;
constexpr HidUsage keyEnter = 0x28;
constexpr HidUsage keyEscape = 0x29;
constexpr HidUsage keyTab = 0x2b;
constexpr HidUsage keySpace = 0x2c;
constexpr HidUsage keyMinus = 0x2d;
constexpr HidUsage keySemicolon = 0x33;
constexpr HidUsage keyLeftShift = 0xe1;

// The labels of the keys from keyMinus and keySemicolon on, without and with Shift. (Usage 0x32 is not on a US
// keyboard.)
constexpr std::string_view digits = "1234567890";
constexpr std::string_view shiftedDigits = "!@#$%^&*()";
constexpr std::string_view upperMarks = "-=[]\\";
constexpr std::string_view shiftedUpperMarks = "_+{}|";
constexpr std::string_view lowerMarks = ";'`,./";
constexpr std::string_view shiftedLowerMarks = ":\"~<>?";

struct KeyStroke {
    HidUsage usage;
    bool shift;
};

std::optional<KeyStroke> strokeIn(std::string_view labels, HidUsage first, bool shift, char c)
{
    const size_t position = labels.find(c);
    if (position == std::string_view::npos)
        return std::nullopt;
    return KeyStroke { static_cast<HidUsage>(first + position), shift };
}

std::optional<KeyStroke> strokeOf(char c)
{
    if (c >= 'a' && c <= 'z')
        return KeyStroke { static_cast<HidUsage>(keyA + (c - 'a')), false };
    if (c >= 'A' && c <= 'Z')
        return KeyStroke { static_cast<HidUsage>(keyA + (c - 'A')), true };
    if (c == '\n')
        return KeyStroke { keyEnter, false };
    if (c == '\t')
        return KeyStroke { keyTab, false };
    if (c == '\x1b')
        return KeyStroke { keyEscape, false };
    if (c == ' ')
        return KeyStroke { keySpace, false };
    for (const auto& stroke : { strokeIn(digits, key1, false, c), strokeIn(shiftedDigits, key1, true, c),
             strokeIn(upperMarks, keyMinus, false, c), strokeIn(shiftedUpperMarks, keyMinus, true, c),
             strokeIn(lowerMarks, keySemicolon, false, c), strokeIn(shiftedLowerMarks, keySemicolon, true, c) }) {
        if (stroke)
            return stroke;
    }
    return std::nullopt;
}

Result<std::string> withoutEscapes(std::string_view text)
{
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            plain += text[i];
            continue;
        }
        const char letter = ++i < text.size() ? text[i] : '\0';
        switch (letter) {
        case 'n':
            plain += '\n';
            break;
        case 't':
            plain += '\t';
            break;
        case 'e':
            plain += '\x1b';
            break;
        case '\\':
            plain += '\\';
            break;
        default:
            return Error { fmt::format("In the keys \"{}\" a backslash stands before nothing that it can change; "
                                       "write \\n, \\t, \\e, or \\\\ for the backslash itself.",
                text) };
        }
    }
    return plain;
}

} // namespace

Result<std::vector<KeyEvent>> textToKeys(std::string_view text)
{
    const auto plain = withoutEscapes(text);
    if (!plain)
        return plain.error();
    std::vector<KeyEvent> events;
    for (const char c : *plain) {
        const auto stroke = strokeOf(c);
        if (!stroke)
            return Error { fmt::format("The keys \"{}\" hold a character that is on no key of a US keyboard; "
                                       "use printable ASCII, \\n, \\t and \\e.",
                text) };
        if (stroke->shift)
            events.push_back({ keyLeftShift, true });
        events.push_back({ stroke->usage, true });
        events.push_back({ stroke->usage, false });
        if (stroke->shift)
            events.push_back({ keyLeftShift, false });
    }
    return events;
}

Result<TypingStep> parseTypingStep(std::string_view text)
{
    constexpr std::string_view arrow = "=>";
    const size_t position = text.find(arrow);
    if (position == std::string_view::npos || position == 0)
        return Error { fmt::format("The typing \"{}\" is not understood; write the text to wait for, => and the keys, "
                                   "such as 'login: =>root\\n'.",
            text) };
    auto keys = textToKeys(text.substr(position + arrow.size()));
    if (!keys)
        return keys.error();
    return TypingStep { std::string(text.substr(0, position)), std::move(*keys) };
}

} // namespace namsan
