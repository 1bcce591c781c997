// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/experiment.h"

#include "app/lab/possibility.h"
#include "tests/support/synthetic_topology.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace namsan {

namespace {

ExperimentSettings settings()
{
    return { "x", "count", "mini", { "soft", "qemu" }, *parseColumns("1s,1d,2s"), 6, 4711 };
}

} // namespace

TEST(ColumnTest, IsWrittenInTwoWaysAndNamedInOne)
{
    EXPECT_EQ(parseColumn("2s")->name(), "2(s)");
    EXPECT_EQ(parseColumn("2(s)")->option(), "2s");
    EXPECT_EQ(describe(*parseColumns("1s,1(d),4d")), "1s,1d,4d");
}

TEST(ColumnTest, WhatIsNoColumnIsRefusedByItsName)
{
    for (const char* text : { "", "s", "0s", "17d", "1x", "1s ", "1sd", "-1s", "99999999999s" }) {
        const auto column = parseColumn(text);
        ASSERT_FALSE(column) << text;
        EXPECT_NE(column.error().message.find(text), std::string::npos);
    }
    EXPECT_FALSE(parseColumns("1s,,1d"));
}

TEST(ColumnTest, APlaceboHasANameOfItsOwn)
{
    EXPECT_EQ(columnNames(*parseColumns("1d,1d,1s,1d")),
        (std::vector<std::string> { "1(d)", "1(d) again", "1(s)", "1(d) again 2" }));
}

TEST(RunOrderTest, EachRoundHoldsEachCellOnceInShuffledOrder)
{
    const auto order = runOrder(settings());
    ASSERT_EQ(order.size(), 36u);
    std::set<std::vector<CellPlace>> rounds;
    for (unsigned round = 0; round < 6; ++round) {
        std::vector<CellPlace> cells;
        for (size_t i = 0; i < 6; ++i) {
            EXPECT_EQ(order[round * 6 + i].repetition, round);
            cells.push_back(order[round * 6 + i].cell);
        }
        rounds.insert(cells);
        std::ranges::sort(cells);
        EXPECT_EQ(std::ranges::unique(cells).size(), 0u);
    }
    EXPECT_GT(rounds.size(), 3u);
}

TEST(RunOrderTest, TheSeedDecides)
{
    ExperimentSettings other = settings();
    EXPECT_EQ(runOrder(other), runOrder(settings()));
    other.seed = 4712;
    EXPECT_NE(runOrder(other), runOrder(settings()));
}

TEST(ExperimentTest, OtherSettingsUnderTheSameNameAreToldApart)
{
    EXPECT_EQ(differenceBetween(settings(), settings()), "");
    ExperimentSettings other = settings();
    other.repetitions = 10;
    other.columns = *parseColumns("1s");
    EXPECT_EQ(differenceBetween(settings(), other),
        "There is an experiment \"x\" already, with --columns 1s,1d,2s and not 1s, --repetitions 6 and not 10; give "
        "the "
        "same settings to continue it, or choose another name with --name.");
}

TEST(ExperimentTest, TheStarIsForMoreThanAPercent)
{
    ExperimentRun run;
    run.hostSeconds = 100;
    run.guestSeconds = 101;
    EXPECT_FALSE(run.guestTimeOff());
    run.guestSeconds = 101.1;
    EXPECT_TRUE(run.guestTimeOff());
    run.guestSeconds = 98.9;
    EXPECT_TRUE(run.guestTimeOff());
    // Some hundredths are all that a short run can tell.
    run.hostSeconds = 0.54;
    run.guestSeconds = 0.5;
    EXPECT_FALSE(run.guestTimeOff());
}

TEST(PossibilityTest, CellsThatTheHostCannotDoHaveTheirReason)
{
    const HostAbilities abilities {
        .engine =
            [](const std::string& engine) {
                return engine == "qemu" ? Result<void>(Error { "There is no QEMU." }) : Result<void> {};
            },
        .vcpus = [](const std::string&,
                     unsigned vcpus) { return vcpus > 2 ? Result<void>(Error { "At most two." }) : Result<void> {}; },
    };
    ExperimentSettings asked = settings();
    asked.columns = *parseColumns("1d,2s,2d,3s");
    const auto reasons = impossibleCells(asked, synthesize({ .coresPerSocket = 2 }), abilities);
    EXPECT_FALSE(reasons.contains({ 0, 0 }));
    EXPECT_FALSE(reasons.contains({ 0, 1 }));
    EXPECT_EQ(reasons.at({ 0, 2 }), "2(d) needs 3 logical CPUs; this host has 2.");
    EXPECT_EQ(reasons.at({ 1, 0 }), "There is no QEMU.");
    EXPECT_EQ(reasons.size(), 6u);
    const auto large = impossibleCells(asked, synthesize({ .coresPerSocket = 8 }), abilities);
    EXPECT_EQ(large.at({ 0, 3 }), "At most two.");
}

TEST(PossibilityTest, ARowIsOneEngine)
{
    EXPECT_TRUE(checkEngineName("soft"));
    EXPECT_TRUE(checkEngineName("qemu"));
    EXPECT_FALSE(checkEngineName("auto"));
    EXPECT_FALSE(checkEngineName("nova"));
    EXPECT_FALSE(checkEngineName(""));
}

TEST(ExperimentTest, AUsableNameIsNeitherEmptyNorTaken)
{
    EXPECT_TRUE(checkExperimentName("Nightly smoke"));
    for (const char* name : { "", " x", "published-2019", "two\nlines" })
        EXPECT_FALSE(checkExperimentName(name)) << name;
    EXPECT_FALSE(checkExperimentName(std::string(101, 'x')));
}

} // namespace namsan
