// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/time/timers.h"

#include <gtest/gtest.h>

#include <string>

namespace namsan {

using namespace std::chrono_literals;

class TimersTest : public ::testing::Test {
protected:
    ManualClock clock;
    Timers timers { clock };
    std::string ran;

    std::function<void()> note(char letter)
    {
        return [this, letter] { ran += letter; };
    }
};

TEST_F(TimersTest, RunsWhatIsDueInTheOrderOfDeadlines)
{
    Timer a(timers, note('a')), b(timers, note('b')), c(timers, note('c'));
    a.armAt(30ns);
    b.armAt(10ns);
    c.armAt(20ns);
    EXPECT_EQ(timers.nextDeadline(), 10ns);
    clock.advance(20ns);
    timers.runDue();
    EXPECT_EQ(ran, "bc");
    EXPECT_TRUE(a.armed());
    EXPECT_FALSE(b.armed());
    EXPECT_EQ(timers.nextDeadline(), 30ns);
    clock.advance(9ns);
    timers.runDue();
    EXPECT_EQ(ran, "bc");
    clock.advance(1ns);
    timers.runDue();
    timers.runDue();
    EXPECT_EQ(ran, "bca");
    EXPECT_FALSE(timers.nextDeadline());
}

TEST_F(TimersTest, RunsEqualDeadlinesInTheOrderOfConstruction)
{
    Timer a(timers, note('a')), b(timers, note('b')), c(timers, note('c'));
    c.armAt(5ns);
    b.armAt(5ns);
    a.armAt(5ns);
    clock.advance(5ns);
    timers.runDue();
    EXPECT_EQ(ran, "abc");
}

TEST_F(TimersTest, ArmingAgainMovesTheDeadline)
{
    Timer a(timers, note('a'));
    a.armIn(10ns);
    a.armIn(20ns);
    EXPECT_EQ(a.deadline(), 20ns);
    clock.advance(10ns);
    timers.runDue();
    EXPECT_EQ(ran, "");
    clock.advance(10ns);
    timers.runDue();
    EXPECT_EQ(ran, "a");
}

TEST_F(TimersTest, ATimerThatArmsItselfForThePastWaitsForTheNextCall)
{
    Timer* self = nullptr;
    Timer a(timers, [&] {
        ran += 'a';
        self->armAt(0ns);
    });
    self = &a;
    Timer b(timers, note('b'));
    a.armAt(1ns);
    b.armAt(2ns);
    clock.advance(2ns);
    timers.runDue();
    EXPECT_EQ(ran, "ab");
    timers.runDue();
    EXPECT_EQ(ran, "aba");
}

TEST_F(TimersTest, ATimerCanCancelOrPostponeOthersThatAreDue)
{
    Timer b(timers, note('b')), c(timers, note('c'));
    Timer a(timers, [&] {
        b.cancel();
        c.armIn(10ns);
    });
    a.armAt(1ns);
    b.armAt(2ns);
    c.armAt(2ns);
    clock.advance(2ns);
    timers.runDue();
    EXPECT_EQ(ran, "");
    EXPECT_FALSE(b.armed());
    clock.advance(10ns);
    timers.runDue();
    EXPECT_EQ(ran, "c");
}

TEST_F(TimersTest, WakesTheBoardThreadOnlyForANearerDeadline)
{
    int wakes = 0;
    timers.setWakeUp([&] { ++wakes; });
    Timer a(timers, note('a')), b(timers, note('b'));
    a.armAt(100ns);
    EXPECT_EQ(wakes, 1);
    b.armAt(200ns);
    EXPECT_EQ(wakes, 1);
    b.armAt(50ns);
    EXPECT_EQ(wakes, 2);
}

TEST_F(TimersTest, ForgetsATimerThatIsGone)
{
    {
        Timer a(timers, note('a'));
        a.armAt(1ns);
    }
    EXPECT_FALSE(timers.nextDeadline());
    clock.advance(1ns);
    timers.runDue();
    EXPECT_EQ(ran, "");
}

} // namespace namsan
