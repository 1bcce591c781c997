// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>

// The whole way of a race, with the tiny guest and the real program.

namespace namsan {

TEST(RaceTest, StartsBothLanesTogether)
{
    const TemporaryFolder folder;
    setenv("XDG_DATA_HOME", folder.path("data").c_str(), 1);
    const std::string record = folder.path("race.json");
    const ProgramRun race = runNamsan(
        { "race", "count", "--size", "smoke", "--lanes", "1s,1s", "--rounds", "2", "--headless", "--record", record });
    unsetenv("XDG_DATA_HOME");
    ASSERT_EQ(race.exitCode, 0) << race.output;
    EXPECT_NE(race.output.find("round 2 of 2: A 1(s) "), std::string::npos) << race.output;

    std::ifstream file(record);
    const auto json = nlohmann::json::parse(file, nullptr, false);
    ASSERT_TRUE(json.is_object());
    ASSERT_EQ(json["rounds"].size(), 2U);
    for (const auto& round : json["rounds"]) {
        // What a lane computes before it is held depends on how busy the host is; unheld, they would be whole tenths of
        // a second apart.
        constexpr double together = 0.05;
        EXPECT_LT(round["start_skew_seconds"].get<double>(), together) << round.dump();
        for (const auto& lane : round["lanes"])
            EXPECT_GT(lane["guest_seconds"].get<double>(), 0) << round.dump();
    }
}

} // namespace namsan
