// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/race_result.h"

#include "app/lab/race_export.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace namsan {

namespace {

using namespace std::chrono_literals;

constexpr Race::Moment noon { 12h };

ExperimentRun ranFor(double seconds, double hostSeconds)
{
    ExperimentRun run;
    run.guestSeconds = seconds;
    run.hostSeconds = hostSeconds;
    run.engineName = "soft:translator";
    return run;
}

// A race of the lanes' seconds, round by round.
Race raceOf(const std::vector<std::vector<double>>& rounds, double guestSecondsPerHostSecond = 1)
{
    RaceSettings settings;
    settings.lanes.resize(rounds.front().size(), { 2, PlacementPolicy::Shared });
    settings.rounds = static_cast<unsigned>(rounds.size());
    Race race(settings);
    race.begin();
    for (const auto& round : rounds) {
        for (size_t lane = 0; lane < round.size(); ++lane)
            race.reachedMark(lane);
        for (size_t lane = 0; lane < round.size(); ++lane)
            race.started(lane, noon + lane * 1500us);
        for (size_t lane = 0; lane < round.size(); ++lane)
            race.finished(lane, round[lane]);
        for (size_t lane = 0; lane < round.size(); ++lane)
            race.ended(lane, ranFor(round[lane], round[lane] / guestSecondsPerHostSecond));
    }
    return race;
}

const LanePlan lanePlan { { { 0, { 1 } }, { 0, { 0, 1 } } }, true, false, "They share." };

} // namespace

TEST(RaceResultTest, NamesNoWinnerBeforeRoundSix)
{
    const Race five = raceOf({ { 60, 30 }, { 61, 31 }, { 59, 30 }, { 60, 29 }, { 60, 30 } });
    EXPECT_FALSE(verdictOf(five).winner);
    EXPECT_EQ(verdictOf(five).headline, "No winner.");
    RaceSettings settings;
    EXPECT_EQ(verdictOf(Race(settings)).headline, "No winner yet.");

    const Race six = raceOf({ { 60, 30 }, { 61, 31 }, { 59, 30 }, { 60, 29 }, { 60, 30 }, { 60, 30 } });
    const RaceVerdict verdict = verdictOf(six);
    EXPECT_EQ(verdict.winner, 1U);
    EXPECT_EQ(verdict.headline, "B 2(s) is faster.");
    EXPECT_NE(verdict.why.find("B against A: −50"), std::string::npos) << verdict.why;
    EXPECT_NE(verdict.why.find("6 rounds"), std::string::npos);
}

TEST(RaceResultTest, NamesNoWinnerWhereTheIntervalHoldsOne)
{
    const Race race = raceOf({ { 60, 61 }, { 61, 60 }, { 59, 60 }, { 60, 59 }, { 60, 60 }, { 62, 61 } });
    const RaceVerdict verdict = verdictOf(race);
    EXPECT_FALSE(verdict.winner);
    EXPECT_NE(verdict.why.find("Not distinguishable"), std::string::npos) << verdict.why;
    EXPECT_EQ(verdict.why.find("faster"), std::string::npos);
}

TEST(RaceResultTest, AWinnerIsFasterThanEveryOtherLane)
{
    const Race tied
        = raceOf({ { 60, 30, 31 }, { 61, 31, 30 }, { 59, 30, 29 }, { 60, 29, 30 }, { 60, 30, 31 }, { 60, 30, 29 } });
    EXPECT_FALSE(verdictOf(tied).winner);
    const Race clear
        = raceOf({ { 60, 30, 21 }, { 61, 31, 20 }, { 59, 30, 19 }, { 60, 29, 20 }, { 60, 30, 21 }, { 60, 30, 19 } });
    EXPECT_EQ(verdictOf(clear).winner, 2U);
}

TEST(RaceResultTest, TellsOfEachRoundAndItsStart)
{
    const std::string table = raceTable(raceOf({ { 58.9, 33.6 } }), lanePlan);
    EXPECT_NE(table.find("58.9 s"), std::string::npos) << table;
    EXPECT_NE(table.find("33.6 s"), std::string::npos);
    EXPECT_NE(table.find("−43"), std::string::npos);
    EXPECT_NE(table.find("1.5 ms"), std::string::npos);
    EXPECT_NE(table.find("They share."), std::string::npos);
    EXPECT_EQ(table.find("differ by over 1 %"), std::string::npos);
}

TEST(RaceResultTest, MarksRoundsWhoseGuestTimeIsOff)
{
    const std::string table = raceTable(raceOf({ { 58.9, 33.6 } }, 0.98), lanePlan);
    EXPECT_NE(table.find("58.9* s"), std::string::npos) << table;
    EXPECT_NE(table.find("differ by over 1 %"), std::string::npos);
}

TEST(RaceResultTest, KeepsTheSkewInTheRecord)
{
    const Race race = raceOf({ { 58.9, 33.6 }, { 58.2, 33.1 } });
    const auto json = nlohmann::json::parse(raceAsJson(race, lanePlan, { "Intel", "Linux", 2 }));
    EXPECT_EQ(json["format"], "namsan-race");
    EXPECT_DOUBLE_EQ(json["rounds"][1]["start_skew_seconds"].get<double>(), 0.0015);
    EXPECT_DOUBLE_EQ(json["rounds"][0]["lanes"][1]["guest_seconds"].get<double>(), 33.6);
    EXPECT_EQ(json["lanes"][1]["placement"], "vmm=0,vcpu0=0,vcpu1=1");
    EXPECT_EQ(json["lanes_share_cpus"], true);
    EXPECT_NEAR(json["lanes"][1]["ratio_to_a"].get<double>(), 33.35 / 58.55, 1e-9);
}

TEST(RaceResultTest, ExportsTheTableForADocument)
{
    const std::string text = raceAsMarkdown(raceOf({ { 58.9, 33.6 } }, 0.98), lanePlan, { "Intel", "Linux 6", 2 });
    EXPECT_TRUE(text.starts_with("### kbuild (smoke): 1(d) against 2(s)\n\nsoft, all lanes at the same time, 1 rounds "
                                 "wanted, on Intel with 2 CPUs, Linux 6.\n\n"
                                 "| Round | A 1(d) | B 2(s) | B against A | Apart at the start |\n"
                                 "|---|---:|---:|---:|---:|\n"
                                 "| 1 | 58.9* s | 33.6* s |"))
        << text;
    EXPECT_NE(text.find("\n| Median | 58.9* s | 33.6* s |"), std::string::npos) << text;
    EXPECT_NE(text.find("\nThey share.  \n\\* guest time and host time differ"), std::string::npos) << text;
}

TEST(RaceResultTest, ExportsALineForEachLaneOfEachRoundThatIsOver)
{
    Race race = raceOf({ { 58.9, 33.6 } });
    EXPECT_EQ(raceAsCsv(race),
        "workload,size,engine,round,lane,column,status,guest_seconds,drift,guest_time_off,engine_name,"
        "start_skew_seconds,reason\n"
        "kbuild,smoke,soft,1,A,1d,ok,58.9,0,0,soft:translator,0.0015,\n"
        "kbuild,smoke,soft,1,B,2s,ok,33.6,0,0,soft:translator,0.0015,\n");
    race.begin(); // another one: its first round goes on
    EXPECT_EQ(raceAsCsv(race).find("soft:translator"), std::string::npos);

    race.reachedMark(0);
    race.reachedMark(1);
    race.started(0, noon);
    race.started(1, noon);
    race.finished(0, 58.9);
    ExperimentRun hung;
    hung.status = RunStatus::Failed;
    hung.reason = "It hung, \"for ever\"\nand more.";
    race.ended(0, ranFor(58.9, 58.9));
    race.ended(1, hung);
    EXPECT_NE(
        raceAsCsv(race).find("1,B,2s,failed,,0,0,,0,\"It hung, \"\"for ever\"\" and more.\"\n"), std::string::npos)
        << raceAsCsv(race);
}

TEST(RaceResultTest, WritesSmallSkewsInMicroseconds)
{
    EXPECT_EQ(skewText(1538ns), "1.5 µs");
    EXPECT_EQ(skewText(57us), "57 µs");
    EXPECT_EQ(skewText(201us), "0.20 ms");
    EXPECT_EQ(skewText(3040us), "3.0 ms");
    EXPECT_EQ(skewText(12ms), "12 ms");
}

} // namespace namsan
