// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/race.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace namsan {

namespace {

using namespace std::chrono_literals;
using Kind = RaceOrder::Kind;
using Orders = Race::Orders;

constexpr Race::Moment noon { 12h };

ExperimentRun ranFor(double seconds)
{
    ExperimentRun run;
    run.guestSeconds = seconds;
    run.hostSeconds = seconds;
    run.engineName = "soft";
    return run;
}

ExperimentRun failedBy(std::string reason)
{
    ExperimentRun run;
    run.status = RunStatus::Failed;
    run.reason = std::move(reason);
    return run;
}

class RaceTest : public ::testing::Test {
protected:
    static Race make(unsigned rounds, bool byTurns = false, size_t lanes = 2)
    {
        RaceSettings settings;
        settings.rounds = rounds;
        settings.byTurns = byTurns;
        settings.lanes.resize(lanes, { 1, PlacementPolicy::Shared });
        return Race(settings);
    }

    // Both lanes of a round that has begun, to the end and away.
    static Orders runRound(Race& race, double first, double second)
    {
        race.reachedMark(0);
        race.reachedMark(1);
        race.started(0, noon);
        race.started(1, noon + 3ms);
        race.finished(0, first);
        race.finished(1, second);
        race.ended(0, ranFor(first));
        return race.ended(1, ranFor(second));
    }
};

} // namespace

TEST_F(RaceTest, HoldsEachLaneUntilAllAreAtTheirMarks)
{
    Race race = make(1);
    EXPECT_EQ(race.begin(), (Orders { { Kind::Boot, 0 }, { Kind::Boot, 1 } }));
    EXPECT_EQ(race.lane(0).stage, LaneStage::Booting);
    EXPECT_TRUE(race.reachedMark(1).empty());
    EXPECT_EQ(race.lane(1).stage, LaneStage::AtMark);
    EXPECT_EQ(race.reachedMark(0), (Orders { { Kind::Resume, 0 }, { Kind::Resume, 1 } }));
    EXPECT_EQ(race.lane(0).stage, LaneStage::Running);
    EXPECT_EQ(race.lane(1).stage, LaneStage::Running);
}

TEST_F(RaceTest, MeasuresHowFarApartTheLanesStarted)
{
    Race race = make(1, false, 3);
    race.begin();
    for (size_t lane = 0; lane < 3; ++lane)
        race.reachedMark(lane);
    race.started(2, noon + 2ms);
    race.started(0, noon + 5ms);
    EXPECT_FALSE(race.rounds().back().skew);
    race.started(1, noon + 4ms);
    EXPECT_EQ(race.rounds().back().skew, 3ms);
    race.started(1, noon + 1h); // from a pause: it is not the start
    EXPECT_EQ(race.rounds().back().skew, 3ms);
}

TEST_F(RaceTest, GoesRoundByRoundToItsEnd)
{
    Race race = make(2);
    race.begin();
    EXPECT_EQ(runRound(race, 10, 5), (Orders { { Kind::Boot, 0 }, { Kind::Boot, 1 } }));
    EXPECT_EQ(race.rounds().size(), 2U);
    EXPECT_TRUE(race.rounds()[0].counted());
    EXPECT_FALSE(race.rounds()[1].counted());
    EXPECT_TRUE(runRound(race, 11, 6).empty());
    EXPECT_EQ(race.stage(), RaceStage::Over);
    EXPECT_EQ(race.rounds()[1].lanes[1].guestSeconds, 6);
    EXPECT_EQ(race.rounds()[0].lanes[0].engineName, "soft");

    EXPECT_EQ(race.begin().size(), 2U); // once more
    EXPECT_EQ(race.rounds().size(), 1U);
}

TEST_F(RaceTest, EndsTheMachineOfALaneThatHasFinishedAndWaitsForTheOther)
{
    Race race = make(1);
    race.begin();
    race.reachedMark(0);
    race.reachedMark(1);
    EXPECT_EQ(race.finished(1, 5), (Orders { { Kind::End, 1 } }));
    EXPECT_TRUE(race.ended(1, ranFor(5)).empty());
    EXPECT_EQ(race.stage(), RaceStage::Going);
    EXPECT_EQ(race.lane(0).stage, LaneStage::Running);
    EXPECT_EQ(race.finished(0, 7), (Orders { { Kind::End, 0 } }));
    EXPECT_TRUE(race.ended(0, ranFor(7)).empty());
    EXPECT_EQ(race.stage(), RaceStage::Over);
}

TEST_F(RaceTest, BreaksOffWhenALaneDoesNotComeToTheStart)
{
    Race race = make(3);
    race.begin();
    race.reachedMark(0);
    EXPECT_EQ(race.ended(1, failedBy("There is no kernel.")), (Orders { { Kind::End, 0 } }));
    EXPECT_EQ(race.stage(), RaceStage::Going); // as long as there is a machine
    EXPECT_TRUE(race.ended(0, failedBy("It was stopped.")).empty());
    EXPECT_EQ(race.stage(), RaceStage::Failed);
    EXPECT_NE(race.reason().find("Lane B 2(s) did not come to the start: There is no kernel."), std::string::npos)
        << race.reason();
}

TEST_F(RaceTest, DoesNotCountARoundInWhichALaneFailedAndGoesOn)
{
    Race race = make(3);
    race.begin();
    race.reachedMark(0);
    race.reachedMark(1);
    EXPECT_TRUE(race.ended(0, failedBy("It crashed.")).empty()); // the other one may go on
    race.finished(1, 5);
    EXPECT_EQ(race.ended(1, ranFor(5)).size(), 2U);
    EXPECT_FALSE(race.rounds()[0].counted());
    EXPECT_TRUE(race.rounds()[0].over);
    EXPECT_EQ(race.rounds()[0].lanes[0].reason, "It crashed.");
    runRound(race, 10, 5);
    EXPECT_TRUE(race.rounds()[1].counted());
    EXPECT_EQ(race.stage(), RaceStage::Going);
}

TEST_F(RaceTest, BreaksOffAfterTwoFailedRoundsInSuccession)
{
    Race race = make(5);
    race.begin();
    for (int round = 0; round < 2; ++round) {
        race.reachedMark(0);
        race.reachedMark(1);
        race.ended(0, failedBy("It crashed."));
        race.ended(1, failedBy("It crashed, too."));
    }
    EXPECT_EQ(race.stage(), RaceStage::Failed);
    EXPECT_NE(race.reason().find("It crashed."), std::string::npos);
}

TEST_F(RaceTest, DoesNotCountALaneThatWasSeenElsewhere)
{
    Race race = make(1);
    race.begin();
    race.reachedMark(0);
    race.reachedMark(1);
    race.finished(0, 5);
    race.finished(1, 5);
    ExperimentRun misplaced = ranFor(5);
    misplaced.status = RunStatus::Misplaced;
    misplaced.reason = "The thread vmm was seen on CPU 7.";
    race.ended(0, misplaced);
    race.ended(1, ranFor(5));
    EXPECT_FALSE(race.rounds()[0].counted());
    EXPECT_EQ(race.rounds()[0].lanes[0].reason, misplaced.reason);
}

TEST_F(RaceTest, ByTurnsRunsOneMachineAtATimeAndChangesTheOrder)
{
    Race race = make(20, true);
    std::set<size_t> firstLanes;
    Orders orders = race.begin();
    while (race.stage() == RaceStage::Going) {
        ASSERT_EQ(orders.size(), 1U);
        ASSERT_EQ(orders[0].kind, Kind::Boot);
        const size_t lane = orders[0].lane;
        EXPECT_EQ(std::ranges::count_if(
                      race.rounds().back().lanes, [](const LaneRun& run) { return run.stage == LaneStage::Booting; }),
            1);
        if (race.lane(1 - lane).stage == LaneStage::Waiting)
            firstLanes.insert(lane);
        EXPECT_EQ(race.reachedMark(lane), (Orders { { Kind::Resume, lane } }));
        race.started(lane, noon);
        EXPECT_EQ(race.finished(lane, 5), (Orders { { Kind::End, lane } }));
        orders = race.ended(lane, ranFor(5));
    }
    EXPECT_EQ(race.stage(), RaceStage::Over);
    EXPECT_EQ(race.rounds().size(), 20U);
    EXPECT_TRUE(std::ranges::all_of(race.rounds(), &RaceRound::counted));
    EXPECT_EQ(firstLanes, (std::set<size_t> { 0, 1 }));
    EXPECT_FALSE(race.rounds()[0].skew);
}

TEST_F(RaceTest, CancelKeepsTheRoundsThatAreOver)
{
    Race race = make(3);
    race.begin();
    runRound(race, 10, 5);
    EXPECT_EQ(race.cancel(), (Orders { { Kind::End, 0 }, { Kind::End, 1 } }));
    EXPECT_TRUE(race.reachedMark(0).empty()); // too late
    race.ended(0, failedBy("It was stopped."));
    EXPECT_EQ(race.stage(), RaceStage::Going);
    race.ended(1, failedBy("It was stopped."));
    EXPECT_EQ(race.stage(), RaceStage::Cancelled);
    ASSERT_EQ(race.rounds().size(), 1U);
    EXPECT_TRUE(race.rounds()[0].counted());
}

TEST_F(RaceTest, RepeatsARoundFromItsBeginning)
{
    Race race = make(3);
    race.begin();
    runRound(race, 10, 5);
    race.reachedMark(0);
    race.reachedMark(1);
    EXPECT_EQ(race.repeatRound().size(), 2U);
    EXPECT_TRUE(race.repeatRound().empty()); // already on its way
    race.ended(0, failedBy("It was stopped."));
    EXPECT_EQ(race.ended(1, failedBy("It was stopped.")), (Orders { { Kind::Boot, 0 }, { Kind::Boot, 1 } }));
    EXPECT_EQ(race.rounds().size(), 2U);
    EXPECT_EQ(race.lane(0).stage, LaneStage::Booting);
}

TEST_F(RaceTest, PausesWhoRunsAndLeavesThoseAtTheirMarksThere)
{
    Race race = make(1);
    race.begin();
    race.reachedMark(0);
    EXPECT_EQ(race.pause(), (Orders { { Kind::Pause, 1 } }));
    EXPECT_TRUE(race.paused());
    EXPECT_TRUE(race.reachedMark(1).empty()); // its mark came with the pause
    EXPECT_EQ(race.goOn(), (Orders { { Kind::Resume, 0 }, { Kind::Resume, 1 } }));
    EXPECT_EQ(race.pause(), (Orders { { Kind::Pause, 0 }, { Kind::Pause, 1 } }));
    EXPECT_EQ(race.goOn(), (Orders { { Kind::Resume, 0 }, { Kind::Resume, 1 } }));
    EXPECT_TRUE(race.goOn().empty());
}

TEST_F(RaceTest, TakesNoNoticeOfWhatComesOutOfTurn)
{
    Race race = make(1);
    EXPECT_TRUE(race.cancel().empty());
    EXPECT_TRUE(race.pause().empty());
    race.begin();
    EXPECT_TRUE(race.begin().empty());
    EXPECT_TRUE(race.finished(0, 5).empty()); // before its mark
    EXPECT_EQ(race.lane(0).stage, LaneStage::Booting);
    race.started(0, noon);
    EXPECT_FALSE(race.rounds().back().skew);
    race.reachedMark(0);
    race.reachedMark(1);
    EXPECT_TRUE(race.reachedMark(0).empty()); // once more
    race.finished(0, 5);
    EXPECT_TRUE(race.finished(0, 6).empty());
    EXPECT_EQ(race.lane(0).guestSeconds, 5);
    race.ended(0, ranFor(5));
    EXPECT_TRUE(race.ended(0, failedBy("again")).empty());
    EXPECT_EQ(race.lane(0).stage, LaneStage::Finished);
}

TEST_F(RaceTest, RefusesSettingsThatAreNoRace)
{
    RaceSettings settings;
    EXPECT_TRUE(checkRace(settings));
    settings.lanes.resize(1, baseColumn);
    EXPECT_NE(checkRace(settings).error().message.find("2 to 4 lanes"), std::string::npos);
    settings.lanes.resize(5, baseColumn);
    EXPECT_FALSE(checkRace(settings));
    settings.lanes.resize(4, baseColumn);
    settings.rounds = 0;
    EXPECT_FALSE(checkRace(settings));
}

} // namespace namsan
