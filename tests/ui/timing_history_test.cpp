// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/timing/timing_history.h"

#include "app/running/host_load.h"
#include "tests/ui/window_with_machine.h"
#include "ui/common/numbers.h"
#include "ui/shell/drift_gauge.h"

namespace namsan {

TEST(TimingHistoryTest, TurnsCountersIntoRates)
{
    TimingHistory history;
    SampleMaker maker;
    history.add(maker.after(1));
    EXPECT_TRUE(history.points().empty());
    history.add(maker.after(2));
    ASSERT_EQ(history.points().size(), 1u);
    EXPECT_NEAR(history.load(0), 0.1, 1e-6);
    EXPECT_NEAR(history.load(1), 0.85, 1e-6);
    EXPECT_EQ(history.load(7), 0);
    EXPECT_NEAR(history.mips(), 400, 1e-3);
    ASSERT_EQ(history.exits().size(), 7u);
    EXPECT_EQ(history.exits()[0].kind, ExitRate::Kind::MemoryWrite);
    EXPECT_NEAR(history.exits()[0].perSecond, 1204, 0.5);
}

TEST(TimingHistoryTest, IgnoresASampleThatIsNotLater)
{
    TimingHistory history;
    SampleMaker maker;
    history.add(maker.after(1));
    history.add(maker.sample);
    EXPECT_TRUE(history.points().empty());
}

TEST(TimingHistoryTest, KeepsOneMinuteAndOnePointBefore)
{
    TimingHistory history;
    SampleMaker maker;
    for (int second = 0; second < 200; ++second) {
        history.add(maker.after(1));
        if (second == 100)
            history.mark("1(s) to 1(d)");
    }
    EXPECT_EQ(history.points().size(), 62u);
    EXPECT_LE(history.points().front().time, history.now() - TimingHistory::span);
    EXPECT_TRUE(history.marks().empty());
}

TEST(TimingHistoryTest, TellsWhereThreadsWereSeenLately)
{
    TimingHistory history;
    SampleMaker maker;
    history.add(maker.after(1));
    for (int second = 0; second < 6; ++second)
        history.add(maker.after(1));
    maker.places[1] = 5;
    for (int second = 0; second < 4; ++second)
        history.add(maker.after(1));
    const auto lately = history.observedShares(1, 10);
    EXPECT_NEAR(lately.at(1), 0.6, 0.01);
    EXPECT_NEAR(lately.at(5), 0.4, 0.01);
    const auto now = history.observedShares(1, 3);
    EXPECT_EQ(now.count(1), 0u);
    EXPECT_NEAR(now.at(5), 1, 1e-9);
}

TEST(TimingHistoryTest, CountsUndeliveredTicksAsDrift)
{
    TimingHistory history;
    SampleMaker maker;
    history.add(maker.after(1));
    maker.sample.lateTicks = std::chrono::milliseconds(50);
    history.add(maker.after(10));
    EXPECT_NEAR(history.drift(), -0.005, 1e-6);
}

TEST(AxisTopTest, ChoosesRoundTops)
{
    EXPECT_EQ(AxisTop::niceTop(0.9), 1);
    EXPECT_EQ(AxisTop::niceTop(18), 20);
    EXPECT_EQ(AxisTop::niceTop(23), 25);
    EXPECT_EQ(AxisTop::niceTop(412), 500);
    EXPECT_EQ(AxisTop::niceTop(501), 1000);
    EXPECT_EQ(AxisTop::niceTop(-3), 1);
}

TEST(AxisTopTest, GrowsAtOnceAndShrinksAfterTenSeconds)
{
    AxisTop axis(1);
    EXPECT_EQ(axis.update(300, 0), 500);
    EXPECT_EQ(axis.update(30, 1), 500);
    EXPECT_EQ(axis.update(30, 10.9), 500);
    EXPECT_EQ(axis.update(30, 11), 50);
    EXPECT_EQ(axis.update(600, 12), 1000);
}

TEST(HostLoadTest, ReadsBusySharesFromProcStat)
{
    HostLoad load;
    EXPECT_TRUE(load.update("cpu 9 9 9 9\ncpu0 10 0 10 80 0 0 0 0 0 0\ncpu3 0 0 0 50 0 0 0 0\nintr 1\n").empty());
    const auto shares = load.update("cpu 9 9 9 9\ncpu0 40 0 30 130 0 0 0 0 0 0\ncpu3 0 0 0 60 40 0 0 0\nintr 1\n");
    EXPECT_NEAR(shares.at(0), 0.5, 1e-9);
    EXPECT_NEAR(shares.at(3), 0, 1e-9);
    EXPECT_EQ(shares.size(), 2u);
    EXPECT_TRUE(load.update("nonsense").empty());
}

TEST(NumbersTest, FollowTheStyle)
{
    EXPECT_EQ(percent(0.764), QString::fromUtf8("76\u00a0%"));
    EXPECT_EQ(driftText(-0.0002), QString::fromUtf8("\u22120.02\u00a0%"));
    EXPECT_EQ(driftText(-0.014), QString::fromUtf8("\u22121.4\u00a0% *"));
    EXPECT_EQ(driftText(0), QString::fromUtf8("0.00\u00a0%"));
    EXPECT_EQ(seconds(58.42), QString::fromUtf8("58.4\u00a0s"));
    EXPECT_EQ(seconds(6900), QString::fromUtf8("1 h 55 min"));
    EXPECT_EQ(mips(412.4), QString::fromUtf8("412\u00a0MIPS"));
    EXPECT_EQ(mips(2.61), QString::fromUtf8("2.6\u00a0MIPS"));
}

TEST(DriftGaugeTest, ChangesItsLevelAndItsWords)
{
    DriftGauge gauge;
    gauge.setDrift(-0.0002);
    EXPECT_EQ(gauge.level(), DriftGauge::Level::KeepsUp);
    EXPECT_EQ(gauge.accessibleName(), "Guest time 0.02 percent behind host");
    gauge.setDrift(0.0057);
    EXPECT_EQ(gauge.level(), DriftGauge::Level::Off);
    gauge.setDrift(-0.014);
    EXPECT_EQ(gauge.level(), DriftGauge::Level::FarOff);
}

} // namespace namsan
