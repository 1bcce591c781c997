// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/command_line.h"

#include "tests/support/fake_machine.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <optional>
#include <sstream>

namespace namsan {

namespace {

namespace fs = std::filesystem;

constexpr const char* head
    = "# SPDX\n# Guest: Works\n# Download: 3 MB\n# Disk: 5 MB\n# Kept: 2 MB\n# Time: 9 seconds\n";
constexpr const char* worker = R"({"format": "namsan-guest", "version": 1, "title": "Worker", "kernel": "vmlinuz",
    "append": "quiet", "workload": "work", "workloads": {"work": "do=work", "play": "do=play"},
    "sizes": {"small": "size=small", "large": "size=large"}, "url": "page="})";

// The whole program with a script that "makes" guests by writing their description.
class GuestCommandTest : public ::testing::Test {
protected:
    GuestCommandTest()
    {
        if (const char* before = std::getenv("XDG_CACHE_HOME"))
            cacheBefore = before;
        setenv("XDG_CACHE_HOME", folder.path("").c_str(), 1);
        script("echo \"make-guest: [1/1] making it\"\nmkdir -p \"$XDG_CACHE_HOME/namsan/guests/worker\"\n"
               "cat >\"$XDG_CACHE_HOME/namsan/guests/worker/guest.json\" <<'JSON'\n"
            + std::string(worker) + "\nJSON\n");
        folder.write("recipes/worker/recipe", head);
    }
    ~GuestCommandTest() override
    {
        cacheBefore ? setenv("XDG_CACHE_HOME", cacheBefore->c_str(), 1) : unsetenv("XDG_CACHE_HOME");
    }

    void script(const std::string& text) const
    {
        fs::permissions(folder.write("recipes/make-guest", "#!/bin/sh\n" + text), fs::perms::owner_all);
    }
    void ready() const { folder.write("namsan/guests/worker/guest.json", worker); }
    ExitCode run(const std::vector<std::string>& arguments)
    {
        output.str("");
        errors.str("");
        machine.reset();
        const Program program {
            .openWindow =
                [this](const WindowRequest& request) {
                    window = request;
                    return ExitCode::Success;
                },
            .makeMachine =
                [this](const MachineConfig& config, MachineListener* listener) {
                    machine = config;
                    auto made = std::make_unique<FakeMachine>(config, listener);
                    made->whenStarted
                        = [](FakeMachine& guest) { guest.end(MachineEnding::Reason::PoweredOff, "Off."); };
                    return Result<std::unique_ptr<Machine>>(std::move(made));
                },
            .output = output,
            .errors = errors,
            .recipes = GuestRecipes(folder.path("recipes/make-guest")),
        };
        return runCommandLine(arguments, program);
    }
    std::string appendOf(std::vector<std::string> more)
    {
        more.insert(more.begin(), { "run", "worker" });
        window.reset();
        EXPECT_EQ(run(more), ExitCode::Success) << errors.str();
        return window ? window->config.append : "";
    }
    std::string refusal(const std::vector<std::string>& arguments)
    {
        EXPECT_EQ(run(arguments), ExitCode::BadInput);
        EXPECT_FALSE(machine) << "a machine was made";
        return errors.str();
    }

    const TemporaryFolder folder;
    std::optional<std::string> cacheBefore;
    std::ostringstream output, errors;
    std::optional<WindowRequest> window;
    std::optional<MachineConfig> machine;
};

} // namespace

TEST_F(GuestCommandTest, ListsWhatIsReadyAndWhatTheOthersTake)
{
    ASSERT_EQ(run({ "guest", "list" }), ExitCode::Success);
    EXPECT_NE(output.str().find("worker            Works\n"), std::string::npos) << output.str();
    EXPECT_NE(output.str().find("not made yet: 3 MB to download, 5 MB of disk while it is made, 2 MB when it is "
                                "ready, some 9 seconds"),
        std::string::npos);
    ready();
    ASSERT_EQ(run({ "guest", "list" }), ExitCode::Success);
    EXPECT_NE(output.str().find("ready, 0 MB"), std::string::npos) << output.str();
}

TEST_F(GuestCommandTest, MakesAGuestAndTellsHowFarItIs)
{
    EXPECT_EQ(run({ "guest", "make", "worker" }), ExitCode::Success);
    EXPECT_EQ(errors.str(), "namsan: [1/1] making it\n");
    script("echo make-guest: no luck. >&2; exit 1");
    EXPECT_NE(refusal({ "guest", "make", "worker" }).find("\"worker\" could not be made: no luck."), std::string::npos);
    EXPECT_EQ(refusal({ "guest", "make", "nobody" }),
        "namsan: There is no recipe for a guest \"nobody\"; \"namsan guest list\" shows the guests.\n");
}

TEST_F(GuestCommandTest, ShowsTheFilesOfASoundGuestOnly)
{
    ready();
    folder.write("namsan/guests/worker/vmlinuz", "abc");
    folder.write("namsan/guests/worker/stamp",
        "recipe 0\nfile ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  ./vmlinuz\n");
    ASSERT_EQ(run({ "guest", "files", "worker" }), ExitCode::Success) << errors.str();
    EXPECT_EQ(output.str(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad            3  "
            + folder.path("namsan/guests/worker/vmlinuz") + "\n");

    folder.write("namsan/guests/worker/vmlinuz", "abd");
    EXPECT_NE(refusal({ "guest", "files", "worker" }).find("is damaged"), std::string::npos);
    EXPECT_NE(refusal({ "run", "worker", "--headless" }).find("vmlinuz is not what was made"), std::string::npos);
    ASSERT_EQ(run({ "guest", "list" }), ExitCode::Success);
    EXPECT_NE(output.str().find("is damaged"), std::string::npos);
    EXPECT_NE(refusal({ "guest", "files", "nobody" }).find("There is no guest"), std::string::npos);
}

TEST_F(GuestCommandTest, ARunMakesItsGuestFirst)
{
    EXPECT_EQ(appendOf({}), "quiet do=work");
    EXPECT_EQ(errors.str(), "namsan: [1/1] making it\n");
    script("exit 1");
    EXPECT_EQ(appendOf({}), "quiet do=work") << "it is there now";

    fs::remove_all(folder.path("namsan"));
    script("echo make-guest: no network. >&2; exit 1");
    EXPECT_EQ(refusal({ "run", "worker" }),
        "namsan: no network.\nnamsan: The guest \"worker\" could not be made: no network.\n");
}

TEST_F(GuestCommandTest, ARunChoosesWorkloadSizeAndPage)
{
    ready();
    EXPECT_EQ(appendOf({ "--size", "large" }), "quiet do=work size=large");
    EXPECT_EQ(appendOf({ "--workload", "play", "--size", "small" }), "quiet do=play size=small");
    EXPECT_EQ(appendOf({ "--url", "http://10.0.2.2:80/a?b=c" }), "quiet do=work page=http://10.0.2.2:80/a?b=c");
    EXPECT_NE(refusal({ "run", "worker", "--size", "huge" }).find("has no size \"huge\"; it has large, small."),
        std::string::npos);
    EXPECT_NE(refusal({ "run", "worker", "--url", "a b" }).find("holds blanks"), std::string::npos);
    EXPECT_NE(
        refusal({ "run", "--kernel", "x", "--size", "huge" }).find("There is no guest that --size"), std::string::npos);
}

TEST_F(GuestCommandTest, WithoutAWindowARunEndsWithItsWorkload)
{
    ready();
    // The machine goes off without having reported the workload's end.
    EXPECT_EQ(run({ "run", "worker", "--headless" }), ExitCode::GoalMissed);
    EXPECT_NE(errors.str().find("the end of the workload \"work\" never came"), std::string::npos) << errors.str();
}

} // namespace namsan
