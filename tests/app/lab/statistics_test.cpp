// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/statistics.h"

#include "app/lab/random_numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <string>

namespace namsan {

namespace {

// Box and Muller, 1958.
double normal(RandomNumbers& random)
{
    const double radius = std::sqrt(-2 * std::log(1 - random.fraction()));
    return radius * std::cos(2 * std::numbers::pi * random.fraction());
}

// How the seconds of one column scatter on a host.
struct Scatter {
    std::string name;
    std::function<double(RandomNumbers&)> draw;
};

const std::vector<Scatter> scatters {
    { "normal", [](RandomNumbers& random) { return 100 + 2 * normal(random); } },
    { "skewed", [](RandomNumbers& random) { return 100 - 5 * std::log(1 - random.fraction()); } },
    { "wide", [](RandomNumbers& random) { return 100 * std::exp(0.3 * normal(random)); } },
    { "two humps", [](RandomNumbers& random) { return (random.fraction() < 0.3 ? 110 : 100) + normal(random); } },
    { "rounded", [](RandomNumbers& random) { return std::round(500 + normal(random)) / 100; } },
};

std::vector<double> draw(const Scatter& scatter, size_t runs, RandomNumbers& random)
{
    std::vector<double> values;
    for (size_t i = 0; i < runs; ++i)
        values.push_back(scatter.draw(random));
    return values;
}

} // namespace

TEST(StatisticsTest, TheMedianIsTheMiddleOrTheMeanOfTheTwo)
{
    EXPECT_DOUBLE_EQ(median({ 7 }), 7);
    EXPECT_DOUBLE_EQ(median({ 9, 1, 5 }), 5);
    EXPECT_DOUBLE_EQ(median({ 4, 1, 3, 2 }), 2.5);
    EXPECT_DOUBLE_EQ(median({ 754, 719, 1180, 722 }), 738);
}

TEST(StatisticsTest, ThereIsNoIntervalFromFewerThanSixRuns)
{
    const std::vector<double> five { 1, 2, 3, 4, 5 };
    const std::vector<double> six { 1, 2, 3, 4, 5, 6 };
    EXPECT_FALSE(medianInterval(five, 1));
    EXPECT_FALSE(ratioInterval(five, six, 1));
    EXPECT_FALSE(ratioInterval(six, five, 1));
    EXPECT_TRUE(ratioInterval(six, six, 1));
}

TEST(StatisticsTest, TheSameSeedGivesTheSameInterval)
{
    const std::vector<double> values { 58.1, 57.3, 58.4, 60.8, 58.0, 59.2 };
    EXPECT_EQ(medianInterval(values, 4711), medianInterval(values, 4711));
}

// Counted over all 6^6 resamples: the median is at most 10 in 406 of 46656 (0.9 %), and at most 15 in 1626 (3.5 %), so
// the outermost 2.5 % end at 15, and at 55 on the other side.
TEST(StatisticsTest, TheIntervalOfSixEvenlySpacedRunsIsTheKnownOne)
{
    const std::vector<double> values { 10, 20, 30, 40, 50, 60 };
    const auto interval = medianInterval(values, 1);
    ASSERT_TRUE(interval);
    EXPECT_DOUBLE_EQ(interval->low, 15);
    EXPECT_DOUBLE_EQ(interval->high, 55);
}

TEST(StatisticsTest, RunsThatNeverDifferGiveAnIntervalOfNoWidth)
{
    const std::vector<double> values(8, 12.5);
    const std::vector<double> twice(8, 25);
    EXPECT_EQ(medianInterval(values, 3), (Interval { 12.5, 12.5 }));
    EXPECT_EQ(ratioInterval(twice, values, 3), (Interval { 2, 2 }));
}

TEST(StatisticsTest, ABaseOfNoTimeHasNoRatio)
{
    EXPECT_FALSE(ratioInterval(std::vector<double>(6, 1.0), std::vector<double>(6, 0.0), 1));
}

TEST(StatisticsTest, ADifferenceFarAboveTheScatterIsSeen)
{
    const std::vector<double> base { 58.1, 57.3, 58.4, 60.8, 58.0, 59.2 };
    const std::vector<double> faster { 33.9, 33.1, 34.8, 34.0, 33.5, 35.2 };
    const auto interval = ratioInterval(faster, base, 1);
    ASSERT_TRUE(interval);
    EXPECT_FALSE(interval->holds(1));
    EXPECT_TRUE(interval->holds(33.95 / 58.25));
}

// The promise behind "not distinguishable": two columns that are the same are called different at most 6 times in 100.
TEST(StatisticsTest, TwoThousandPlaceboExperimentsCallADifferenceInAtMostSixPercent)
{
    constexpr int experiments = 2000;
    constexpr size_t runs = 6;
    for (const Scatter& scatter : scatters) {
        RandomNumbers random(20190509);
        int different = 0;
        for (int i = 0; i < experiments; ++i) {
            const auto base = draw(scatter, runs, random);
            const auto placebo = draw(scatter, runs, random);
            const auto interval = ratioInterval(placebo, base, random.next());
            ASSERT_TRUE(interval);
            different += interval->holds(1) ? 0 : 1;
        }
        EXPECT_LE(different, experiments * 6 / 100) << scatter.name;
        RecordProperty(scatter.name == "two humps" ? "two_humps" : scatter.name, different);
    }
}

// And it is not honest by calling nothing different at all.
TEST(StatisticsTest, TenPercentAreSeenThroughTwoPercentOfScatter)
{
    constexpr int experiments = 200;
    RandomNumbers random(1);
    int different = 0;
    for (int i = 0; i < experiments; ++i) {
        const auto base = draw(scatters.front(), 6, random);
        auto slower = draw(scatters.front(), 6, random);
        for (double& value : slower)
            value *= 1.1;
        different += ratioInterval(slower, base, random.next())->holds(1) ? 0 : 1;
    }
    EXPECT_GE(different, experiments * 95 / 100);
}

} // namespace namsan
