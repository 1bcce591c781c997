// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/move_script.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

std::vector<std::string> dueAfter(MoveScript& script, std::string_view text)
{
    return script.serialOutput({ reinterpret_cast<const uint8_t*>(text.data()), text.size() });
}

using Engines = std::vector<std::string>;

} // namespace

TEST(MoveScript, SaysEachMoveWhenItsTextHasCome)
{
    MoveScript script({ { "one", "kvm" }, { "two", "soft" }, { "two", "auto" } });
    EXPECT_EQ(dueAfter(script, "two o"), Engines {});
    EXPECT_EQ(dueAfter(script, "ne"), Engines { "kvm" });
    EXPECT_EQ(dueAfter(script, "two"), Engines { "soft" });
    EXPECT_EQ(dueAfter(script, "and two, two"), Engines { "auto" });
    EXPECT_EQ(dueAfter(script, "two"), Engines {});
}

TEST(MoveScript, SaysSeveralMovesAtOnce)
{
    MoveScript script({ { "a", "kvm" }, { "b", "soft" } });
    EXPECT_EQ(dueAfter(script, "ab"), (Engines { "kvm", "soft" }));
}

TEST(MoveStep, IsATextAndAnEngine)
{
    const auto step = parseEngineMoveStep("login: =>soft:translator");
    ASSERT_TRUE(step);
    EXPECT_EQ(step->waitFor, "login: ");
    EXPECT_EQ(step->engine, "soft:translator");
}

TEST(MoveStep, IsRefusedWithASentence)
{
    constexpr const char* shape = "The move \"kvm\" is not understood; write the text to wait for, => and the engine, "
                                  "such as 'login: =>kvm'.";
    EXPECT_EQ(parseEngineMoveStep("kvm").error().message, shape);
    EXPECT_FALSE(parseEngineMoveStep("=>kvm"));
    EXPECT_EQ(parseEngineMoveStep("login: =>xen").error().message,
        "There is no engine \"xen\"; choose auto, soft, soft:interpreter, soft:translator or kvm.");
    EXPECT_FALSE(parseEngineMoveStep("login: =>"));
}

} // namespace namsan
