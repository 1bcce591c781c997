// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

// The whole way of an experiment, with the tiny guest and the real program.

namespace namsan {

TEST(ExperimentTest, MeasuresTheTinyGuestAndKeepsItsRuns)
{
    const TemporaryFolder folder;
    setenv("XDG_DATA_HOME", folder.path("data").c_str(), 1);
    const std::vector<std::string> command { "experiment", "run", "count", "--size", "mini", "--engine", "soft",
        "--columns", "1s,16d", "--repetitions", "2", "--name", "tiny" };
    const ProgramRun first = runNamsan(command);
    EXPECT_EQ(first.exitCode, 0) << first.output;
    EXPECT_NE(first.output.find("2 of 2: soft 1(s), "), std::string::npos) << first.output;
    EXPECT_NE(first.output.find("- soft 16(d): "), std::string::npos) << first.output;

    const ProgramRun csv = runNamsan({ "experiment", "export", "tiny", "--format", "csv" });
    EXPECT_EQ(std::ranges::count(csv.output, '\n'), 3) << csv.output;
    EXPECT_NE(csv.output.find(",1s,1,1,ok,"), std::string::npos) << csv.output;
    EXPECT_NE(csv.output.find(",1s,1,2,ok,"), std::string::npos) << csv.output;
    EXPECT_NE(
        runNamsan({ "experiment", "show", "tiny", "--log", "2" }).output.find("! PERF: count "), std::string::npos);
    EXPECT_TRUE(runNamsan({ "experiment", "show", "tiny", "--record", "1" }).output.starts_with("{"));

    // The same command again finds all runs there, and other settings are refused.
    const ProgramRun again = runNamsan(command);
    EXPECT_EQ(again.exitCode, 0) << again.output;
    EXPECT_EQ(again.output.find("2 of 2"), std::string::npos) << again.output;
    EXPECT_EQ(runNamsan({ "experiment", "run", "count", "--name", "tiny", "--repetitions", "3" }).exitCode, 2);
    unsetenv("XDG_DATA_HOME");
}

} // namespace namsan
