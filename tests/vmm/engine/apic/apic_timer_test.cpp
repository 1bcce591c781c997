// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/apic/apic_timer.h"

#include <gtest/gtest.h>

namespace namsan {

using namespace std::chrono_literals;

// A TSC of 1 GHz: both clocks count nanoseconds.
class ApicTimerTest : public ::testing::Test {
protected:
    ApicTimer timer { 1'000'000'000 };

    static ApicTimer::Now at(GuestTime time) { return { time, static_cast<uint64_t>(time.count()) }; }
    static constexpr uint32_t divideBy1 = 0xb;
    static constexpr uint32_t divideBy16 = 0x3;
};

TEST_F(ApicTimerTest, CountsDownOnceAndStops)
{
    timer.setDivideConfiguration(divideBy16, at(0ns));
    timer.setInitialCount(1000, at(0ns));
    EXPECT_EQ(timer.deadline(), 16us);
    EXPECT_EQ(timer.currentCount(at(8us)), 500u);
    EXPECT_FALSE(timer.expire(at(15us), true));
    EXPECT_TRUE(timer.expire(at(16us), true));
    EXPECT_FALSE(timer.deadline());
    EXPECT_EQ(timer.currentCount(at(20us)), 0u);
}

TEST_F(ApicTimerTest, DividesByWhatTheThreeScatteredBitsSay)
{
    // SDM volume 3, figure 11-10.
    constexpr std::pair<uint32_t, int> rules[]
        = { { 0, 2 }, { 1, 4 }, { 2, 8 }, { 3, 16 }, { 8, 32 }, { 9, 64 }, { 0xa, 128 }, { 0xb, 1 } };
    for (const auto& [configuration, divisor] : rules) {
        timer.setDivideConfiguration(configuration, at(0ns));
        timer.setInitialCount(1000, at(0ns));
        EXPECT_EQ(timer.deadline(), 1us * divisor) << configuration;
    }
}

TEST_F(ApicTimerTest, PeriodicTicksKeepTheirDistanceFromTheStart)
{
    timer.setDivideConfiguration(divideBy1, at(0ns));
    timer.setMode(ApicTimer::Mode::Periodic, at(0ns));
    timer.setInitialCount(4'000'000, at(0ns));
    EXPECT_TRUE(timer.expire(at(4ms + 300us), true));
    EXPECT_EQ(timer.deadline(), 8ms);
    EXPECT_EQ(timer.currentCount(at(5ms)), 3'000'000u);
}

TEST_F(ApicTimerTest, TicksThatAreNotTakenComeLaterAtTwiceTheRate)
{
    timer.setDivideConfiguration(divideBy1, at(0ns));
    timer.setMode(ApicTimer::Mode::Periodic, at(0ns));
    timer.setInitialCount(4'000'000, at(0ns));
    EXPECT_TRUE(timer.expire(at(13ms), true)); // three were due
    EXPECT_EQ(timer.missedTicks(), 2u);
    EXPECT_EQ(timer.lateness(), 8ms);
    EXPECT_EQ(timer.deadline(), 15ms);
    EXPECT_FALSE(timer.expire(at(15ms), false)); // the first is not taken yet
    EXPECT_TRUE(timer.expire(at(17ms), true)); // one more has come meanwhile
    EXPECT_EQ(timer.missedTicks(), 2u);
    EXPECT_TRUE(timer.expire(at(19ms), true));
    EXPECT_EQ(timer.missedTicks(), 1u);
}

TEST_F(ApicTimerTest, NeverAsksForMoreTicksThanAHostCanBear)
{
    timer.setDivideConfiguration(divideBy1, at(0ns));
    timer.setMode(ApicTimer::Mode::Periodic, at(0ns));
    timer.setInitialCount(1, at(0ns));
    EXPECT_EQ(timer.deadline(), 20us);
    EXPECT_TRUE(timer.expire(at(20us), true));
    EXPECT_EQ(timer.deadline(), 40us);
}

TEST_F(ApicTimerTest, TscDeadlineComesOnceAndReadsAsZeroAfterwards)
{
    timer.setMode(ApicTimer::Mode::TscDeadline, at(0ns));
    timer.setTscDeadline(5000, at(1us));
    EXPECT_EQ(timer.tscDeadline(), 5000u);
    EXPECT_FALSE(timer.expire(at(4us), true));
    EXPECT_TRUE(timer.expire(at(6us), true));
    EXPECT_EQ(timer.tscDeadline(), 0u);
    EXPECT_FALSE(timer.deadline());
}

TEST_F(ApicTimerTest, AFarDeadlineIsNoOverflow)
{
    timer.setMode(ApicTimer::Mode::TscDeadline, at(0ns));
    timer.setTscDeadline(~uint64_t { 0 }, at(1us));
    EXPECT_FALSE(timer.deadline());
    timer.setTscDeadline(1, at(1us)); // long past
    EXPECT_TRUE(timer.expire(at(2us), true));
}

TEST_F(ApicTimerTest, InitialCountsDoNothingInTscDeadlineMode)
{
    timer.setMode(ApicTimer::Mode::TscDeadline, at(0ns));
    timer.setInitialCount(1000, at(0ns));
    EXPECT_FALSE(timer.deadline());
    EXPECT_EQ(timer.initialCount(), 0u);
}

} // namespace namsan
