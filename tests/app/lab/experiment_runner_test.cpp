// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/experiment_runner.h"

#include "tests/app/lab/core_application.h"
#include "tests/support/synthetic_topology.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <set>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace namsan {

namespace {

ExperimentSettings settings()
{
    return { "first", "count", "mini", { "soft", "qemu" }, *parseColumns("1s,1d,2s"), 3, 4711 };
}

class ExperimentRunnerTest : public ::testing::Test {
protected:
    // Opens the archive, finds or makes the experiment, and makes what is missing with this launcher.
    Result<RunnerEnding> go(const Launcher& launch, int stopDescriptor = -1, std::function<void()> ended = {})
    {
        const TestCoreApplication application;
        auto store = ExperimentStore::open(folder.path("archive"));
        if (!store)
            return store.error();
        auto found = (*store)->find("first");
        if (!found)
            return found.error();
        auto experiment = *found ? Result<Experiment>(**found) : (*store)->create(settings(), { "cpu", "Linux", 2 });
        if (!experiment)
            return experiment.error();
        const std::map<CellPlace, std::string> impossible { { { 1, 2 }, "Not here." } };
        if (auto kept = (*store)->setUnavailable(*experiment, impossible); !kept)
            return kept.error();
        experiment->unavailable = impossible;
        const RunnerSurroundings surroundings { .host = synthesize({ .coresPerSocket = 2 }),
            .launch = launch,
            .folder = folder.path("running"),
            .stopDescriptor = stopDescriptor,
            .ended = [&](const Experiment&) {
                if (ended)
                    ended();
            } };
        return makeMissingRuns(**store, *experiment, { { 1, {} }, { 2, { .vcpus = 2 } } },
            { "mini", "", std::chrono::seconds(7) }, surroundings);
    }

    Experiment kept()
    {
        const TestCoreApplication application;
        auto store = ExperimentStore::open(folder.path("archive"));
        EXPECT_TRUE((*store)->checkSoundness());
        auto found = (*store)->find("first");
        return **found;
    }

    void expectEachRunOnce()
    {
        const Experiment experiment = kept();
        EXPECT_TRUE(experiment.finished());
        std::set<PlannedRun> runs;
        for (const ExperimentRun& run : experiment.runs)
            runs.insert(run.planned);
        EXPECT_EQ(experiment.runs.size(), 15u);
        EXPECT_EQ(runs.size(), 15u);
    }

    // A process of its own that makes runs and is killed as if by "kill -9"; returns how it ended.
    int inChild(const std::function<void()>& work)
    {
        const pid_t child = fork();
        if (child == 0) {
            work();
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        return status;
    }

    static Result<std::optional<LaunchedRun>> goodRun(const LaunchOrder&)
    {
        LaunchedRun launched;
        launched.run.guestSeconds = launched.run.hostSeconds = 2;
        launched.papers = { std::string(50000, 'r'), "! PERF: count 2.00 s ok\n" };
        return std::optional(launched);
    }

    const TemporaryFolder folder;
};

} // namespace

TEST_F(ExperimentRunnerTest, MakesEachRunOnceInItsOrder)
{
    std::vector<std::string> made;
    const auto ending = go([&](const LaunchOrder& order) {
        made.push_back(order.config.engine + " " + order.config.placement);
        EXPECT_EQ(describe(order.placement),
            order.config.placement == "1s"       ? "1(s)"
                : order.config.placement == "1d" ? "1(d)"
                                                 : "2(s)");
        EXPECT_EQ(order.limit, std::chrono::seconds(7));
        EXPECT_TRUE(std::filesystem::is_directory(order.folder));
        return goodRun(order);
    });
    ASSERT_TRUE(ending);
    EXPECT_EQ(*ending, RunnerEnding::Finished);
    expectEachRunOnce();
    std::vector<std::string> planned;
    for (const PlannedRun& run : runOrder(settings())) {
        if (run.cell != CellPlace { 1, 2 })
            planned.push_back(settings().engines[run.cell.engine] + " " + settings().columns[run.cell.column].option());
    }
    EXPECT_EQ(made, planned);
    EXPECT_FALSE(std::filesystem::exists(folder.path("running")));
}

TEST_F(ExperimentRunnerTest, GoesOnWhereAHostFailureEndedIt)
{
    int launches = 0;
    const auto failed = go([&](const LaunchOrder& order) -> Result<std::optional<LaunchedRun>> {
        if (++launches == 4)
            return Error { "No memory." };
        return goodRun(order);
    });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "No memory.");
    EXPECT_EQ(kept().runs.size(), 3u);
    ASSERT_TRUE(go(goodRun));
    expectEachRunOnce();
}

TEST_F(ExperimentRunnerTest, AFailedRunIsKeptAndNotMadeAgain)
{
    int launches = 0;
    ASSERT_TRUE(go([&](const LaunchOrder& order) {
        auto launched = goodRun(order);
        if (++launches == 2) {
            (*launched)->run.status = RunStatus::Failed;
            (*launched)->run.reason = "The guest crashed.";
        }
        return launched;
    }));
    expectEachRunOnce();
    EXPECT_EQ(kept().runs[1].reason, "The guest crashed.");
    ASSERT_TRUE(go([&](const LaunchOrder& order) {
        ADD_FAILURE() << "a run was made again";
        return goodRun(order);
    }));
}

TEST_F(ExperimentRunnerTest, AStopLeavesTheRunThatGoesOnUncounted)
{
    const auto ending
        = go([](const LaunchOrder&) { return Result<std::optional<LaunchedRun>>(std::optional<LaunchedRun> {}); });
    ASSERT_TRUE(ending);
    EXPECT_EQ(*ending, RunnerEnding::Stopped);
    EXPECT_EQ(kept().runs.size(), 0u);

    const int stop = eventfd(1, EFD_CLOEXEC);
    const auto before = go(goodRun, stop);
    ASSERT_TRUE(before);
    EXPECT_EQ(*before, RunnerEnding::Stopped);
    EXPECT_EQ(kept().runs.size(), 0u);
    close(stop);
}

TEST_F(ExperimentRunnerTest, KilledFiveTimesAndContinuedItHoldsEachRunOnce)
{
    // Where each life ends: in the middle of its so-manieth run, or just after that was kept.
    struct Life {
        int run;
        bool afterwards;
    };
    for (const Life life :
        { Life { 2, false }, Life { 3, true }, Life { 1, false }, Life { 1, true }, Life { 4, false } }) {
        const int status = inChild([&] {
            int launches = 0;
            static_cast<void>(go(
                [&](const LaunchOrder& order) {
                    if (++launches == life.run && !life.afterwards)
                        raise(SIGKILL);
                    return goodRun(order);
                },
                -1,
                [&] {
                    if (launches == life.run)
                        raise(SIGKILL);
                }));
        });
        ASSERT_TRUE(WIFSIGNALED(status));
    }
    EXPECT_EQ(kept().runs.size(), 1u + 3 + 0 + 1 + 3);
    ASSERT_TRUE(go(goodRun));
    expectEachRunOnce();
}

TEST_F(ExperimentRunnerTest, KilledFromOutsideAtAnyMomentItLosesAndDoublesNothing)
{
    size_t least = 0;
    for (int life = 0; life < 5; ++life) {
        std::array<int, 2> pipeEnds {};
        ASSERT_EQ(pipe(pipeEnds.data()), 0);
        const pid_t child = fork();
        if (child == 0) {
            // A byte for each run that has been kept, and one before the first.
            const auto tell = [&] { static_cast<void>(!write(pipeEnds[1], "x", 1)); };
            tell();
            static_cast<void>(go(goodRun, -1, tell));
            _exit(0);
        }
        std::array<char, 3> told {};
        size_t keptInThisLife = 0;
        for (int wanted = 3; wanted > 0 && read(pipeEnds[0], told.data(), 1) == 1; --wanted)
            ++keptInThisLife;
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        close(pipeEnds[0]);
        close(pipeEnds[1]);
        least += keptInThisLife - 1;
        EXPECT_GE(kept().runs.size(), std::min<size_t>(least, 15));
    }
    ASSERT_TRUE(go(goodRun));
    expectEachRunOnce();
}

} // namespace namsan
