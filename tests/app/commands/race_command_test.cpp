// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/command_line.h"

#include <gtest/gtest.h>

#include <sstream>

namespace namsan {

namespace {

class RaceCommandTest : public ::testing::Test {
protected:
    ExitCode run(std::vector<std::string> arguments)
    {
        output.str({});
        errors.str({});
        arguments.insert(arguments.begin(), "race");
        return runCommandLine(arguments, { {}, {}, output, errors });
    }

    std::ostringstream output;
    std::ostringstream errors;
};

} // namespace

TEST_F(RaceCommandTest, RefusesWhatIsNoRaceWithASentence)
{
    const auto refused = [this](const std::vector<std::string>& arguments, const char* sentence) {
        EXPECT_EQ(run(arguments), ExitCode::BadInput);
        EXPECT_NE(errors.str().find(sentence), std::string::npos) << errors.str();
        EXPECT_EQ(output.str(), "");
    };
    refused({}, "workload");
    refused({ "sleeping", "--headless" }, "There is no workload \"sleeping\"");
    refused({ "count", "--lanes", "1d", "--headless" }, "2 to 4 lanes");
    refused({ "count", "--lanes", "1s,1s,1s,1s,1s", "--headless" }, "2 to 4 lanes");
    refused({ "count", "--lanes", "1x,2s", "--headless" }, "The column \"1x\"");
    refused({ "count", "--rounds", "0", "--headless" }, "--rounds");
    refused({ "count", "--record", "/no/such/folder/race.json", "--headless" }, "The race's record");
    refused({ "count", "--window-screenshot", "race.png", "--headless" }, "There is no window");
}

TEST_F(RaceCommandTest, ExplainsItself)
{
    EXPECT_EQ(run({ "--help" }), ExitCode::Success);
    EXPECT_NE(output.str().find("--lanes"), std::string::npos);
    EXPECT_NE(output.str().find("Exit codes"), std::string::npos);
}

} // namespace namsan
