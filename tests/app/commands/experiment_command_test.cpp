// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/command_line.h"

#include "app/lab/experiment_store.h"
#include "tests/app/lab/core_application.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace namsan {

namespace {

// Another place for the user's data or cache, for the time of a test.
class ScopedVariable {
public:
    ScopedVariable(const char* name, const std::string& value)
        : m_name(name)
    {
        if (const char* before = std::getenv(name))
            m_before = before;
        setenv(name, value.c_str(), 1);
    }
    ~ScopedVariable()
    {
        if (m_before)
            setenv(m_name, m_before->c_str(), 1);
        else
            unsetenv(m_name);
    }
    ScopedVariable(const ScopedVariable&) = delete;
    ScopedVariable& operator=(const ScopedVariable&) = delete;

private:
    const char* m_name;
    std::optional<std::string> m_before;
};

class ExperimentCommandTest : public ::testing::Test {
protected:
    ExitCode run(std::vector<std::string> arguments)
    {
        output.str({});
        errors.str({});
        arguments.insert(arguments.begin(), "experiment");
        return runCommandLine(arguments, { {}, {}, output, errors });
    }

    void keep(const std::string& name)
    {
        const TestCoreApplication application;
        auto store = ExperimentStore::open(folder.path("data/namsan"));
        auto experiment = (*store)->create(
            { name, "count", "mini", { "soft" }, *parseColumns("1s,1d"), 6, 4711 }, { "a processor", "Linux", 2 });
        for (unsigned i = 0; i < 6; ++i) {
            for (size_t column = 0; column < 2; ++column) {
                ExperimentRun made;
                made.planned = { { 0, column }, i };
                made.guestSeconds = made.hostSeconds = 10 + static_cast<double>(i) / 10;
                EXPECT_TRUE((*store)->addRun(*experiment, made, { "the record", "the log" }));
            }
        }
    }

    const TemporaryFolder folder;
    const ScopedVariable data { "XDG_DATA_HOME", folder.path("data") };
    const ScopedVariable cache { "XDG_CACHE_HOME", folder.path("cache") };
    std::ostringstream output;
    std::ostringstream errors;
};

} // namespace

TEST_F(ExperimentCommandTest, BadInputIsRefusedInASentence)
{
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases {
        { { "run", "nothing", "--name", "x" }, "There is no workload \"nothing\"; choose one of kbuild, count." },
        { { "run", "count", "--name", "x", "--size", "huge" }, "has no size \"huge\"" },
        { { "run", "count", "--name", "x", "--columns", "1x" }, "The column \"1x\" is not understood" },
        { { "run", "count", "--name", "x", "--engine", "auto" }, "The engine auto may choose" },
        { { "run", "count", "--name", "x", "--engine", "soft,soft" }, "named twice" },
        { { "run", "count", "--name", "published-2019" }, "can't be run" },
        { { "run", "count", "--name", "x", "--repetitions", "0" }, "not understood" },
        { { "run", "count" }, "--name is required" },
        { { "run", "count", "--name", "x" }, "The guest \"tiny\" is not in" },
        { { "show", "x" }, "There is no experiment \"x\"" },
        { { "export", "x", "--format", "md" }, "There is no experiment \"x\"" },
        { { "export", "published-2019", "--format", "xls" }, "choose md, csv or json" },
    };
    for (const auto& [arguments, sentence] : cases) {
        EXPECT_EQ(run(arguments), ExitCode::BadInput) << sentence;
        EXPECT_NE(errors.str().find(sentence), std::string::npos) << errors.str();
        EXPECT_EQ(output.str(), "");
    }
    EXPECT_EQ(run({ "list" }), ExitCode::Success);
    EXPECT_EQ(output.str(), "published-2019: what was published in 2019\n"); // nothing of all that was kept
}

TEST_F(ExperimentCommandTest, AUsedNameWithOtherSettingsIsRefused)
{
    keep("first");
    EXPECT_EQ(run({ "run", "count", "--name", "first", "--repetitions", "7", "--seed", "1" }), ExitCode::BadInput);
    EXPECT_NE(errors.str().find("--repetitions 6 and not 7, --seed 4711 and not 1"), std::string::npos) << errors.str();
    EXPECT_EQ(run({ "run", "kbuild", "--name", "first" }), ExitCode::BadInput);
    EXPECT_NE(errors.str().find("the workload count and not kbuild"), std::string::npos) << errors.str();
}

TEST_F(ExperimentCommandTest, ListsShowsAndExports)
{
    keep("first");
    EXPECT_EQ(run({ "list" }), ExitCode::Success);
    EXPECT_TRUE(output.str().starts_with("first: 12 of 12 runs; namsan experiment run count --size mini"));
    EXPECT_EQ(run({ "show", "first" }), ExitCode::Success);
    EXPECT_NE(output.str().find("10.2 (base)"), std::string::npos) << output.str();
    EXPECT_NE(output.str().find("754 (+5\u00a0%)"), std::string::npos);
    EXPECT_EQ(run({ "show", "first", "--log", "3" }), ExitCode::Success);
    EXPECT_EQ(output.str(), "the log");
    EXPECT_EQ(run({ "show", "first", "--record", "12" }), ExitCode::Success);
    EXPECT_EQ(output.str(), "the record");
    EXPECT_EQ(run({ "show", "first", "--record", "13" }), ExitCode::BadInput);
    EXPECT_EQ(run({ "export", "first", "--format", "csv" }), ExitCode::Success);
    EXPECT_EQ(std::ranges::count(output.str(), '\n'), 13);
    EXPECT_EQ(run({ "export", "first", "--format", "json" }), ExitCode::Success);
    EXPECT_TRUE(output.str().starts_with("{"));
}

TEST_F(ExperimentCommandTest, ExportsPlots)
{
    keep("first");
    EXPECT_EQ(run({ "export", "first", "--format", "png" }), ExitCode::Success);
    EXPECT_TRUE(output.str().starts_with("\x89PNG"));
    EXPECT_EQ(run({ "export", "first", "--format", "svg" }), ExitCode::Success);
    EXPECT_NE(output.str().find("<svg"), std::string::npos);
    EXPECT_NE(output.str().find("base: soft 1(d), 10.2 s"), std::string::npos);
    EXPECT_EQ(run({ "export", "first", "--format", "gif" }), ExitCode::BadInput);
}

TEST_F(ExperimentCommandTest, WhatWasPublishedNeedsNoArchive)
{
    EXPECT_EQ(run({ "show", "published-2019" }), ExitCode::Success);
    EXPECT_NE(output.str().find("Nightly test machine"), std::string::npos);
    EXPECT_EQ(run({ "export", "published-2019", "--format", "csv" }), ExitCode::Success);
    EXPECT_NE(output.str().find("Lenovo X201,nova,1(s),754,5,0"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder.path("data")));
}

} // namespace namsan
