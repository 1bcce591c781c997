// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/run_goal.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

using Reason = MachineEnding::Reason;

std::span<const uint8_t> bytes(std::string_view text)
{
    return { reinterpret_cast<const uint8_t*>(text.data()), text.size() };
}

std::optional<ExitCode> codeOf(const RunGoal& goal)
{
    return goal.outcome() ? std::optional(goal.outcome()->code) : std::nullopt;
}

RunOrders until(std::string text)
{
    RunOrders orders;
    orders.until = std::move(text);
    return orders;
}

// The code of a run that nothing happened in but its end.
ExitCode codeOfEnd(const RunOrders& orders, Reason reason)
{
    RunGoal goal(orders);
    goal.ended({ reason, "So it was." });
    return *codeOf(goal);
}

} // namespace

TEST(RunGoal, WaitsForTheCompleteLine)
{
    RunGoal goal(until("ready"));
    goal.serialOutput(bytes("system is ready"));
    EXPECT_FALSE(goal.outcome());
    goal.serialOutput(bytes(" now\r\n"));
    EXPECT_EQ(codeOf(goal), ExitCode::Success);
    EXPECT_EQ(goal.outcome()->why, "");
}

TEST(RunGoal, DoesNotJoinLines)
{
    RunGoal goal(until("ready"));
    goal.serialOutput(bytes("rea\ndy\n"));
    EXPECT_FALSE(goal.outcome());
}

TEST(RunGoal, LooksAtTheScreen)
{
    RunOrders orders;
    orders.untilScreen = "login:";
    RunGoal goal(orders);
    goal.serialOutput(bytes("login:\n"));
    goal.screen({ "booting" });
    EXPECT_FALSE(goal.outcome());
    goal.screen({ "booting", "debian login:" });
    EXPECT_EQ(codeOf(goal), ExitCode::Success);
}

TEST(RunGoal, WithoutATextPoweringOffIsSuccess)
{
    EXPECT_EQ(codeOfEnd({}, Reason::PoweredOff), ExitCode::Success);
    EXPECT_EQ(codeOfEnd({}, Reason::Halted), ExitCode::Success);
    EXPECT_EQ(codeOfEnd({}, Reason::Stopped), ExitCode::Success);
    EXPECT_EQ(codeOfEnd({}, Reason::Reset), ExitCode::GoalMissed);
    EXPECT_EQ(codeOfEnd({}, Reason::Crashed), ExitCode::GuestCrashed);
}

TEST(RunGoal, WithATextEndingWithoutItIsAMiss)
{
    for (const Reason reason : { Reason::PoweredOff, Reason::Halted, Reason::Stopped, Reason::Reset })
        EXPECT_EQ(codeOfEnd(until("x"), reason), ExitCode::GoalMissed);
    EXPECT_EQ(codeOfEnd(until("x"), Reason::Crashed), ExitCode::GuestCrashed);

    RunGoal goal(until("x"));
    goal.ended({ Reason::PoweredOff, "The guest switched itself off." });
    EXPECT_EQ(goal.outcome()->why, "The guest ended and the text \"x\" never came: The guest switched itself off.");
}

TEST(RunGoal, TheGuestChoosesTheExitCodeWithItsDebugExitPort)
{
    const MachineEnding exit { Reason::DebugExit, "The guest wrote 10h.", 0x10 };
    RunGoal without({});
    without.ended(exit);
    EXPECT_EQ(static_cast<int>(*codeOf(without)), 33);
    EXPECT_EQ(without.outcome()->why, "");

    RunGoal with(until("x"));
    with.ended(exit);
    EXPECT_EQ(static_cast<int>(*codeOf(with)), 33);
    EXPECT_EQ(with.outcome()->why, "The guest ended and the text \"x\" never came: The guest wrote 10h.");

    RunGoal seen(until("x"));
    seen.serialOutput(bytes("x\n"));
    seen.ended(exit);
    EXPECT_EQ(codeOf(seen), ExitCode::Success);
}

TEST(RunGoal, TheFirstDecisionStands)
{
    RunGoal goal(until("x"));
    goal.serialOutput(bytes("x\n"));
    goal.ended({ Reason::Crashed, "Triple fault." });
    goal.timedOut("");
    EXPECT_EQ(codeOf(goal), ExitCode::Success);
}

TEST(RunGoal, AWorkloadEndsARunThatAsksForIt)
{
    RunOrders orders;
    orders.workload = "count";
    RunGoal goal(orders);
    goal.workload(WorkloadBegan { "count" });
    goal.workload(WorkloadEnded { "other", 1, true });
    EXPECT_FALSE(goal.outcome());
    goal.workload(WorkloadEnded { "count", 1, true });
    EXPECT_EQ(codeOf(goal), ExitCode::Success);
}

TEST(RunGoal, AFailedWorkloadIsAMissWhateverElseWasAsked)
{
    RunGoal withText(until("! PERF"));
    withText.workload(WorkloadEnded { "count", 1, false });
    EXPECT_FALSE(withText.outcome());
    withText.serialOutput(bytes("! PERF: count 1 s failed\n"));
    EXPECT_EQ(codeOf(withText), ExitCode::GoalMissed);
    EXPECT_NE(withText.outcome()->why.find("\"count\""), std::string::npos);

    RunGoal without({});
    without.workload(WorkloadEnded { "count", 1, false });
    without.ended({ Reason::PoweredOff, "Off." });
    EXPECT_EQ(codeOf(without), ExitCode::GoalMissed);
}

TEST(RunGoal, ATimeOutSaysWhatWasWaitedFor)
{
    RunOrders orders = until("ready");
    orders.timeout = std::chrono::milliseconds(1500);
    RunGoal goal(orders);
    goal.timedOut("login:");
    EXPECT_EQ(codeOf(goal), ExitCode::TimedOut);
    EXPECT_EQ(goal.outcome()->why,
        "The time-out of 1.5 s passed and the text \"ready\" never came, and the text \"login:\" that typing waits for "
        "never came; give it more time with --timeout, or look at the guest's serial output.");
}

} // namespace namsan
