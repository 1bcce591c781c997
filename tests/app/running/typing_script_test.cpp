// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/typing_script.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

std::span<const uint8_t> bytes(std::string_view text)
{
    return { reinterpret_cast<const uint8_t*>(text.data()), text.size() };
}

TypingStep step(std::string waitFor, std::string_view keys)
{
    return { std::move(waitFor), *textToKeys(keys) };
}

// The first keys of the steps whose texts have come, as many as have come.
std::string stepsTyped(TypingScript& script)
{
    std::string letters;
    while (const auto key = script.takeKey()) {
        if (key->pressed)
            letters += static_cast<char>('a' + key->usage - 4);
    }
    return letters;
}

} // namespace

TEST(StreamWait, FindsATextThatComesInPieces)
{
    StreamWait wait("login: ");
    EXPECT_FALSE(wait.look(bytes("debian lo")));
    EXPECT_FALSE(wait.look(bytes("gin:")));
    EXPECT_EQ(wait.look(bytes(" root")), 1u);
}

TEST(StreamWait, FindsATextThatBeginsAnew)
{
    StreamWait wait("aab");
    EXPECT_FALSE(wait.look(bytes("a")));
    EXPECT_FALSE(wait.look(bytes("a")));
    EXPECT_FALSE(wait.look(bytes("a")));
    EXPECT_TRUE(wait.look(bytes("b")));
}

TEST(ScreenWait, SeesAPromptWithoutItsTrailingBlank)
{
    ScreenWait wait("# ", {});
    EXPECT_FALSE(wait.look({ "booting", "" }));
    EXPECT_TRUE(wait.look({ "booting", "/ #" }));
}

TEST(ScreenWait, DoesNotTakeAnOldPromptForANewOne)
{
    ScreenWait wait("# ", { "booting", "/ #", "" });
    EXPECT_FALSE(wait.look({ "booting", "/ #", "" }));
    EXPECT_FALSE(wait.look({ "booting", "/ # ls", "" })); // typed behind
    EXPECT_FALSE(wait.look({ "/ # ls", "bin", "etc" })); // scrolled
    EXPECT_TRUE(wait.look({ "bin", "etc", "/ #" }));
}

TEST(ScreenWait, SeesASecondPromptBelowTheFirst)
{
    ScreenWait wait("# ", { "/ #" });
    EXPECT_TRUE(wait.look({ "/ # ls", "bin", "/ #" }));
}

TEST(TypingScript, TypesEachStepWhenItsTextHasCome)
{
    TypingScript script({ step("login:", "a"), step("#", "b") });
    EXPECT_EQ(script.waitingFor(), "login:");
    script.serialOutput(bytes("debian "));
    EXPECT_EQ(stepsTyped(script), "");
    script.serialOutput(bytes("login: "));
    EXPECT_EQ(stepsTyped(script), "a");
    EXPECT_EQ(script.waitingFor(), "#");
    script.screen({ "# " });
    EXPECT_EQ(stepsTyped(script), "b");
    EXPECT_EQ(script.waitingFor(), "");
}

TEST(TypingScript, ATextServesOneStepOnly)
{
    TypingScript script({ step("# ", "a"), step("# ", "b"), step("# ", "c") });
    script.serialOutput(bytes("/ # "));
    EXPECT_EQ(stepsTyped(script), "a");
    script.serialOutput(bytes("ls\r\n/ # / # "));
    EXPECT_EQ(stepsTyped(script), "bc");
}

TEST(TypingScript, ATextThatComesWhileTypingIsNotLost)
{
    TypingScript script({ step("one", "a"), step("two", "b") });
    script.serialOutput(bytes("one"));
    EXPECT_TRUE(script.typing());
    script.serialOutput(bytes("two"));
    EXPECT_EQ(stepsTyped(script), "ab");
}

TEST(TypingScript, WithoutStepsDoesNothing)
{
    TypingScript script({});
    script.serialOutput(bytes("anything"));
    script.screen({ "anything" });
    EXPECT_FALSE(script.takeKey());
    EXPECT_EQ(script.waitingFor(), "");
}

} // namespace namsan
