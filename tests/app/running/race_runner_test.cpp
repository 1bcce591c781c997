// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/race_runner.h"

#include "tests/app/lab/core_application.h"
#include "tests/support/race_of_fakes.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <QEventLoop>

namespace namsan {

namespace {

class RaceRunnerTest : public ::testing::Test {
protected:
    void begin(unsigned rounds = 1, bool byTurns = false)
    {
        RaceSettings settings;
        settings.workload = "count";
        settings.rounds = rounds;
        settings.byTurns = byTurns;
        runner = std::make_unique<RaceRunner>(fakes.setup(settings));
        QObject::connect(runner.get(), &RaceRunner::over, [this] { ++overs; });
        ASSERT_TRUE(runner->begin());
    }
    LaneStage stage(size_t lane) const { return runner->race().lane(lane).stage; }
    bool booted(size_t lane)
    {
        return RaceOfFakes::waitFor([&] { return runner->machine(lane) != nullptr; });
    }
    void reachMark(size_t lane)
    {
        fakes.machine(lane).print("! BEGIN: count\n");
        QCoreApplication::sendPostedEvents();
    }
    void finish(size_t lane, const char* seconds)
    {
        fakes.machine(lane).print(std::string("! PERF: count ") + seconds + " s ok\n");
    }

    TestCoreApplication application;
    RaceOfFakes fakes;
    std::unique_ptr<RaceRunner> runner;
    int overs = 0;
};

} // namespace

TEST_F(RaceRunnerTest, HoldsTheFirstAtItsMarkAndLetsAllGoTogether)
{
    begin();
    ASSERT_TRUE(booted(0) && booted(1));
    // The very call that brings the line pauses the machine: no way through the window is in between.
    fakes.machine(0).print("! BEGIN: count\n");
    EXPECT_EQ(fakes.machine(0).state(), MachineState::Paused);
    QCoreApplication::sendPostedEvents();
    EXPECT_EQ(stage(0), LaneStage::AtMark);
    EXPECT_EQ(stage(1), LaneStage::Booting);
    EXPECT_EQ(fakes.machine(0).state(), MachineState::Paused);

    reachMark(1);
    EXPECT_EQ(fakes.machine(0).state(), MachineState::Running);
    EXPECT_EQ(fakes.machine(1).state(), MachineState::Running);
    EXPECT_EQ(stage(0), LaneStage::Running);
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return runner->race().rounds().back().skew.has_value(); }));

    finish(1, "3.50");
    finish(0, "7.00");
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return overs == 1; }));
    EXPECT_EQ(runner->race().stage(), RaceStage::Over);
    ASSERT_TRUE(runner->race().rounds()[0].counted()) << runner->race().lane(0).reason;
    EXPECT_EQ(runner->race().lane(0).guestSeconds, 7);
    EXPECT_EQ(runner->race().lane(1).guestSeconds, 3.5);
    EXPECT_EQ(runner->machine(0), nullptr);
}

TEST_F(RaceRunnerTest, TakesProgressFromTheGuestsLines)
{
    begin();
    ASSERT_TRUE(booted(0) && booted(1));
    reachMark(0);
    reachMark(1);
    fakes.machine(1).print("! DONE: count 1 of 4 0.50 s\r\n! DONE: other 3 of 4 0.60 s\n! DONE: cou");
    fakes.machine(1).print("nt 2 of 4 1.25 s\n");
    QCoreApplication::sendPostedEvents();
    ASSERT_EQ(runner->track(1).steps().size(), 2U);
    EXPECT_EQ(runner->track(1).steps()[1].guestSeconds, 1.25);
    EXPECT_EQ(runner->track(1).done(), 2U);
    EXPECT_EQ(runner->track(0).total(), 0U);
}

TEST_F(RaceRunnerTest, AMachineThatCannotBeMadeEndsTheRace)
{
    fakes.trouble[1] = "There is no kernel.";
    begin(3);
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return overs == 1; }));
    EXPECT_EQ(runner->race().stage(), RaceStage::Failed);
    EXPECT_NE(runner->race().reason().find("There is no kernel."), std::string::npos) << runner->race().reason();
    EXPECT_EQ(runner->machine(0), nullptr);
}

TEST_F(RaceRunnerTest, ALaneThatCrashesIsNotCountedAndTheOtherGoesOn)
{
    begin();
    ASSERT_TRUE(booted(0) && booted(1));
    reachMark(0);
    reachMark(1);
    fakes.machine(0).end(MachineEnding::Reason::Crashed, "Triple fault.");
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return stage(0) == LaneStage::Failed; }));
    EXPECT_EQ(stage(1), LaneStage::Running);
    finish(1, "3.50");
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return overs == 1; }));
    EXPECT_FALSE(runner->race().rounds()[0].counted());
    EXPECT_NE(runner->race().lane(0).reason.find("Triple fault"), std::string::npos) << runner->race().lane(0).reason;
}

TEST_F(RaceRunnerTest, AGuestThatReportsFailureOrIsResetIsNotCounted)
{
    begin(2);
    ASSERT_TRUE(booted(0) && booted(1));
    reachMark(0);
    reachMark(1);
    fakes.machine(0).print("! PERF: count 1.00 s failed\n");
    fakes.machine(1).reboot();
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return runner->race().rounds().size() == 2; }));
    const auto& lanes = runner->race().rounds()[0].lanes;
    EXPECT_EQ(lanes[0].stage, LaneStage::Failed);
    EXPECT_EQ(lanes[1].stage, LaneStage::Failed);
    EXPECT_NE(lanes[1].reason.find("reset"), std::string::npos) << lanes[1].reason;
}

TEST_F(RaceRunnerTest, CancelEndsWhatRunsAndWhatIsBeingMade)
{
    begin(3);
    runner->cancel(); // both are being made
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return overs == 1; }));
    EXPECT_EQ(runner->race().stage(), RaceStage::Cancelled);

    ASSERT_TRUE(runner->begin());
    ASSERT_TRUE(booted(0) && booted(1));
    reachMark(0); // one stands at its mark, one boots
    runner->cancel();
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return overs == 2; }));
    EXPECT_TRUE(runner->race().rounds().empty());
}

TEST_F(RaceRunnerTest, StartsARoundAgain)
{
    begin();
    ASSERT_TRUE(booted(0) && booted(1));
    reachMark(0);
    const unsigned before = fakes.made;
    runner->repeatRound();
    ASSERT_TRUE(
        RaceOfFakes::waitFor([&] { return fakes.made == before + 2 && runner->machine(0) && runner->machine(1); }));
    EXPECT_EQ(stage(0), LaneStage::Booting);
    EXPECT_EQ(runner->race().rounds().size(), 1U);
}

TEST_F(RaceRunnerTest, PausesAndGoesOn)
{
    begin();
    ASSERT_TRUE(booted(0) && booted(1));
    reachMark(0);
    reachMark(1);
    runner->pause();
    EXPECT_EQ(fakes.machine(0).state(), MachineState::Paused);
    EXPECT_EQ(fakes.machine(1).state(), MachineState::Paused);
    QCoreApplication::sendPostedEvents();
    EXPECT_EQ(stage(0), LaneStage::Running);
    runner->goOn();
    EXPECT_EQ(fakes.machine(0).state(), MachineState::Running);
    EXPECT_EQ(fakes.machine(1).state(), MachineState::Running);
}

TEST_F(RaceRunnerTest, RunsByTurns)
{
    begin(1, true);
    for (int turn = 0; turn < 2; ++turn) {
        ASSERT_TRUE(RaceOfFakes::waitFor([&] { return runner->machine(0) || runner->machine(1); }));
        const size_t lane = runner->machine(0) ? 0 : 1;
        EXPECT_EQ(runner->machine(1 - lane), nullptr);
        reachMark(lane);
        EXPECT_EQ(fakes.machine(lane).state(), MachineState::Running);
        finish(lane, "2.00");
        ASSERT_TRUE(RaceOfFakes::waitFor([&] { return runner->race().lane(lane).gone; }));
    }
    EXPECT_EQ(runner->race().stage(), RaceStage::Over);
}

TEST_F(RaceRunnerTest, TwoRacesDoNotMeasureEachOther)
{
    const TemporaryFolder folder;
    RaceSettings settings;
    settings.workload = "count";
    RaceSetup setup = fakes.setup(settings);
    setup.lockFolder = folder.path("archive");
    RaceRunner first(setup);
    RaceRunner second(setup);
    ASSERT_TRUE(first.begin());
    const auto refused = second.begin();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("being measured"), std::string::npos);
    EXPECT_EQ(second.race().stage(), RaceStage::Ready);
}

} // namespace namsan
