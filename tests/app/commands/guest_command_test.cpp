// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_bench.h"

namespace namsan {

namespace {

namespace fs = std::filesystem;

constexpr const char* head
    = "# SPDX\n# Guest: Works\n# Download: 3 MB\n# Disk: 5 MB\n# Kept: 2 MB\n# Time: 9 seconds\n";
constexpr const char* worker = R"({"format": "namsan-guest", "version": 1, "title": "Worker", "kernel": "vmlinuz",
    "append": "quiet", "workload": "work", "workloads": {"work": "do=work", "play": "do=play"},
    "sizes": {"small": "size=small", "large": "size=large"}, "url": "page="})";

// With a script that "makes" guests by writing their description.
class GuestCommandTest : public ProgramBench {
protected:
    GuestCommandTest()
    {
        recipes = GuestRecipes(folder.path("recipes/make-guest"));
        script("echo \"make-guest: [1/1] making it\"\nmkdir -p \"$XDG_CACHE_HOME/namsan/guests/worker\"\n"
               "cat >\"$XDG_CACHE_HOME/namsan/guests/worker/guest.json\" <<'JSON'\n"
            + std::string(worker) + "\nJSON\n");
        folder.write("recipes/worker/recipe", head);
    }

    void script(const std::string& text) const
    {
        fs::permissions(
            folder.write("recipes/make-guest", "#!/bin/sh\n[ \"$1\" != --state ] || exec cat \"$0.states\"\n" + text),
            fs::perms::owner_all);
    }
    // What the script says of the guest.
    void state(const std::string& words) const { folder.write("recipes/make-guest.states", "worker: " + words + "\n"); }
    void ready() const { folder.write("namsan/guests/worker/guest.json", worker); }
    std::string appendOf(std::vector<std::string> more)
    {
        more.insert(more.begin(), { "run", "worker" });
        EXPECT_EQ(run(more), ExitCode::Success) << errors.str();
        return window ? window->config.append : "";
    }
};

} // namespace

TEST_F(GuestCommandTest, ListsWhatIsReadyAndWhatTheOthersTake)
{
    state("not made");
    ASSERT_EQ(run({ "guest", "list" }), ExitCode::Success);
    EXPECT_NE(output.str().find("worker            Works\n"), std::string::npos) << output.str();
    EXPECT_NE(output.str().find("not made: 3 MB to download, 5 MB of disk while it is made, 2 MB when it is "
                                "ready, some 9 seconds"),
        std::string::npos);
    ready();
    for (const auto& [words, shown] :
        { std::pair("ready", "ready, 0 MB\n"), std::pair("recipe changed", "recipe changed: will be made again\n"),
            std::pair("damaged", "damaged: \"namsan guest make worker\" makes it again\n") }) {
        state(words);
        ASSERT_EQ(run({ "guest", "list" }), ExitCode::Success);
        EXPECT_NE(output.str().find(shown), std::string::npos) << output.str();
    }
    fs::remove(folder.path("recipes/make-guest.states"));
    EXPECT_NE(refusal({ "guest", "list" }).find("does not tell which guests are ready"), std::string::npos);
}

TEST_F(GuestCommandTest, ARunMakesAGuestAgainWhoseRecipeHasChanged)
{
    ready();
    state("recipe changed");
    EXPECT_EQ(appendOf({}), "quiet do=work");
    EXPECT_EQ(errors.str(), "namsan: [1/1] making it\n");
    state("ready");
    EXPECT_EQ(appendOf({}), "quiet do=work");
    EXPECT_EQ(errors.str(), "");
}

TEST_F(GuestCommandTest, MakesAGuestAndTellsHowFarItIs)
{
    EXPECT_EQ(run({ "guest", "make", "worker" }), ExitCode::Success);
    EXPECT_EQ(errors.str(), "namsan: [1/1] making it\n");
    script("echo make-guest: no luck. >&2; exit 1");
    EXPECT_EQ(run({ "guest", "make", "worker" }), ExitCode::BadInput);
    EXPECT_NE(errors.str().find("\"worker\" could not be made: no luck."), std::string::npos);
    EXPECT_EQ(refusal({ "guest", "make", "nobody" }),
        "There is no recipe for a guest \"nobody\"; \"namsan guest list\" shows the guests.");
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
    EXPECT_EQ(run({ "run", "worker" }), ExitCode::BadInput);
    EXPECT_EQ(errors.str(), "namsan: no network.\nnamsan: The guest \"worker\" could not be made: no network.\n");
    EXPECT_FALSE(machine);
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
