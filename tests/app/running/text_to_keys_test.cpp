// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/text_to_keys.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

// Presses as hexadecimal usages, releases with a minus: "4 -4".
std::string typed(std::string_view text)
{
    const auto keys = textToKeys(text);
    EXPECT_TRUE(keys) << keys.error().message;
    std::string result;
    for (const KeyEvent& key : keys ? *keys : std::vector<KeyEvent> {}) {
        char part[8];
        std::snprintf(part, sizeof part, "%s%x", key.pressed ? "" : "-", key.usage);
        if (!result.empty())
            result += ' ';
        result += part;
    }
    return result;
}

} // namespace

TEST(TextToKeys, PressesAndReleasesEachKey)
{
    EXPECT_EQ(typed("ab"), "4 -4 5 -5");
    EXPECT_EQ(typed("z 0"), "1d -1d 2c -2c 27 -27");
    EXPECT_EQ(typed(""), "");
}

TEST(TextToKeys, HoldsShiftForCapitalsAndMarks)
{
    EXPECT_EQ(typed("A"), "e1 4 -4 -e1");
    EXPECT_EQ(typed("!"), "e1 1e -1e -e1");
    EXPECT_EQ(typed(")"), "e1 27 -27 -e1");
    EXPECT_EQ(typed("|"), "e1 31 -31 -e1");
    EXPECT_EQ(typed("?"), "e1 38 -38 -e1");
    EXPECT_EQ(typed("~"), "e1 35 -35 -e1");
}

TEST(TextToKeys, TypesMarksFromTheirPositions)
{
    EXPECT_EQ(typed("-=[]"), "2d -2d 2e -2e 2f -2f 30 -30");
    EXPECT_EQ(typed(";'`,./"), "33 -33 34 -34 35 -35 36 -36 37 -37 38 -38");
}

TEST(TextToKeys, KnowsItsEscapes)
{
    EXPECT_EQ(typed("\\n\\t\\e\\\\"), "28 -28 2b -2b 29 -29 31 -31");
    EXPECT_EQ(typed("\n"), "28 -28");
}

TEST(TextToKeys, EveryPrintableCharacterHasAKey)
{
    for (char c = ' '; c <= '~'; ++c) {
        if (c == '\\') // begins an escape
            continue;
        EXPECT_TRUE(textToKeys(std::string(1, c))) << c;
    }
}

TEST(TextToKeys, SaysWhatItCannotType)
{
    EXPECT_EQ(textToKeys("\xc3\xbc").error().message,
        "The keys \"\xc3\xbc\" hold a character that is on no key of a US keyboard; use printable ASCII, \\n, \\t and "
        "\\e.");
    EXPECT_EQ(textToKeys("a\\").error().message,
        "In the keys \"a\\\" a backslash stands before nothing that it can change; write \\n, \\t, \\e, or \\\\ for "
        "the "
        "backslash itself.");
    EXPECT_FALSE(textToKeys("\\x"));
    EXPECT_FALSE(textToKeys(std::string(1, '\0')));
}

TEST(TypingStepText, SplitsAtTheFirstArrow)
{
    const auto step = parseTypingStep("login: =>a=>b");
    ASSERT_TRUE(step);
    EXPECT_EQ(step->waitFor, "login: ");
    EXPECT_EQ(step->keys.size(), 10u); // four keys, one of them with Shift
}

TEST(TypingStepText, SaysHowItIsWritten)
{
    EXPECT_EQ(parseTypingStep("login").error().message,
        "The typing \"login\" is not understood; write the text to wait for, => and the keys, such as 'login: "
        "=>root\\n'.");
    EXPECT_FALSE(parseTypingStep("=>x"));
    EXPECT_FALSE(parseTypingStep("x=>\\"));
}

} // namespace namsan
