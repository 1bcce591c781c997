// SPDX-License-Identifier: GPL-3.0-or-later
// The real script with small recipes, and a fake apt in front of the real one: no test needs a network.
#include "app/library/guest_making.h"

#include "app/library/guest_cache.h"
#include "app/library/guest_recipes.h"
#include "app/library/guest_states.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <optional>

namespace namsan {

namespace {

namespace fs = std::filesystem;

constexpr const char* head = "# Guest: A guest for a test\n# Download: 1 MB\n# Disk: 1 MB\n# Kept: 1 MB\n"
                             "# Time: 1 second\n# Steps: 3\n";
// Fills the guest's folder without any package.
constexpr const char* made = R"(
prepare_private_apt() { :; }
make_guest() {
    step "making it up"
    : >"$work/stamp.packages"
    echo kernel >"$work/guest/vmlinuz"
    echo '{"format": "namsan-guest", "version": 1, "title": "Small", "kernel": "vmlinuz"}' >"$work/guest/guest.json"
}
)";

class GuestMakingTest : public ::testing::Test {
protected:
    GuestMakingTest()
    {
        keep("XDG_CACHE_HOME", cacheBefore);
        keep("PATH", pathBefore);
        setenv("XDG_CACHE_HOME", folder.path("cache").c_str(), 1);
        const fs::path recipes = GuestRecipes::ofThisProgram().script().parent_path();
        fs::create_directories(folder.path("recipes"));
        fs::copy(recipes / "make-guest", folder.path("recipes"));
        fs::copy(recipes / "building", folder.path("recipes/building"));
    }
    ~GuestMakingTest() override
    {
        cacheBefore ? setenv("XDG_CACHE_HOME", cacheBefore->c_str(), 1) : unsetenv("XDG_CACHE_HOME");
        pathBefore ? setenv("PATH", pathBefore->c_str(), 1) : unsetenv("PATH");
    }

    void recipe(std::string_view text) const { folder.write("recipes/small/recipe", std::string(head) + text.data()); }
    // A program that is found before the real one.
    void fake(const std::string& name, std::string_view text)
    {
        const std::string path = folder.write("bin/" + name, "#!/bin/sh\n" + std::string(text) + "\n");
        fs::permissions(path, fs::perms::owner_all);
        setenv("PATH", (folder.path("bin") + ":" + pathBefore.value_or("/usr/bin:/bin")).c_str(), 1);
    }
    Result<void> make(bool refresh = false)
    {
        lines.clear();
        return makeGuest(folder.path("recipes/make-guest"), "small", refresh,
            [this](std::string_view line) { lines.emplace_back(line); });
    }
    bool said(std::string_view text) const
    {
        return std::ranges::any_of(lines, [&](const std::string& line) { return line.find(text) != line.npos; });
    }
    // Neither a guest nor anything half done; only the lock's file stays.
    bool nothingIsLeft() const
    {
        const fs::directory_iterator all(folder.path("cache/namsan/guests"));
        return std::all_of(begin(all), end(all), [](const auto& entry) { return entry.path().extension() == ".lock"; });
    }
    static void keep(const char* variable, std::optional<std::string>& value)
    {
        if (const char* before = std::getenv(variable))
            value = before;
    }

    const TemporaryFolder folder;
    const GuestCache cache { fs::path(folder.path("cache")) / "namsan" / "guests" };
    std::optional<std::string> cacheBefore, pathBefore;
    std::vector<std::string> lines;
};

} // namespace

TEST_F(GuestMakingTest, MakesAGuestOnceAndTellsTheCostFirst)
{
    recipe(made);
    const auto first = make();
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(lines.front(),
        "making the guest 'small', once: 1 MB to download, 1 MB of disk while it is made, 1 MB when it is ready, "
        "some 1 second");
    EXPECT_TRUE(said("[2/3] making it up"));
    EXPECT_TRUE(cache.verify("small"));
    EXPECT_EQ(cache.files("small")->size(), 2u);

    ASSERT_TRUE(make());
    EXPECT_FALSE(said("making it up"));
    ASSERT_TRUE(make(true));
    EXPECT_TRUE(said("making it up"));
}

TEST_F(GuestMakingTest, NoticesADamagedFileAndMakesTheGuestAgain)
{
    recipe(made);
    ASSERT_TRUE(make());
    folder.write("cache/namsan/guests/small/vmlinuz", "kernal\n");
    const auto damaged = cache.verify("small");
    ASSERT_FALSE(damaged);
    EXPECT_NE(damaged.error().message.find("vmlinuz is not what was made"), std::string::npos);
    EXPECT_NE(damaged.error().message.find("namsan guest make small"), std::string::npos);
    ASSERT_TRUE(make());
    EXPECT_TRUE(said("making it up"));
    EXPECT_TRUE(cache.verify("small"));

    fs::remove(folder.path("cache/namsan/guests/small/vmlinuz"));
    EXPECT_NE(cache.verify("small").error().message.find("vmlinuz is missing"), std::string::npos);
}

// What is said of a guest and what the script would do are the same.
TEST_F(GuestMakingTest, TellsTheStateThatDecidesWhetherAGuestIsMadeAgain)
{
    const GuestRecipes recipes(folder.path("recipes/make-guest"));
    const auto state = [&] {
        const auto states = guestStates(recipes);
        return states && states->size() == 1 ? inWords(states->at("small")) : "no answer";
    };
    recipe(made);
    EXPECT_EQ(state(), "not made");
    ASSERT_TRUE(make());
    EXPECT_EQ(state(), "ready");
    ASSERT_TRUE(make());
    EXPECT_FALSE(said("making it up"));

    folder.write("cache/namsan/guests/small/vmlinuz", "kernal\n");
    EXPECT_EQ(state(), "damaged");
    folder.write("cache/namsan/guests/small/vmlinuz", "kernel\n");
    EXPECT_EQ(state(), "ready") << "it was written again as it was";
    fs::remove(folder.path("cache/namsan/guests/small/vmlinuz"));
    EXPECT_EQ(state(), "damaged");

    folder.write("recipes/small/more", "another file of the recipe");
    EXPECT_EQ(state(), "recipe changed: will be made again");
    ASSERT_TRUE(make());
    EXPECT_TRUE(said("making it up"));
    EXPECT_EQ(state(), "ready");
    folder.write("recipes/building/more.bash", "");
    EXPECT_EQ(state(), "recipe changed: will be made again");

    fs::remove(folder.path("cache/namsan/guests/small/stamp"));
    EXPECT_EQ(state(), "damaged");
}

TEST_F(GuestMakingTest, KeepsTheOldGuestWhenTheNewOneFails)
{
    recipe(made);
    ASSERT_TRUE(make());
    recipe("prepare_private_apt() { :; }\nmake_guest() { fail 'out of paper.'; }\n");
    const auto failed = make();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "The guest \"small\" could not be made: out of paper.");
    EXPECT_TRUE(cache.verify("small"));
}

TEST_F(GuestMakingTest, ARecipeThatIsNoneLeavesNothingBehind)
{
    for (const char* text : { "if then (\n", "prepare_private_apt() { :; }\nmake_guest() { false; }\n" }) {
        recipe(text);
        EXPECT_FALSE(make()) << text;
        EXPECT_TRUE(nothingIsLeft()) << text;
    }
}

TEST_F(GuestMakingTest, ToldApartWhereThereIsNoNetwork)
{
    fake("apt-get",
        "case \"$*\" in *indextargets*) ;; *) echo 'E: Failed to fetch it: no route to host' >&2; exit 100 ;; esac");
    recipe("make_guest() { fetch busybox-static; }\n");
    const auto failed = make();
    ASSERT_FALSE(failed);
    EXPECT_TRUE(said("warning: a package list could not be refreshed"));
    EXPECT_NE(failed.error().message.find("The package busybox-static:i386 could not be fetched (Failed to fetch it: "
                                          "no route to host). Check the network"),
        std::string::npos)
        << failed.error().message;
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(GuestMakingTest, NeedsRoomOnTheDisk)
{
    fake("df", "echo Avail; echo 0");
    recipe(made);
    const auto failed = make();
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message.find("needs 1 MB of disk"), std::string::npos) << failed.error().message;
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(GuestMakingTest, StopsWithAllThatItStarted)
{
    // The child writes its process's number, and would not end by itself.
    recipe("prepare_private_apt() { :; }\n"
           "make_guest() { step working; sh -c 'echo child $$; exec sleep 1000'; }\n");
    auto making = GuestMaking::start(folder.path("recipes/make-guest"), "small", false);
    ASSERT_TRUE(making) << making.error().message;
    pid_t child = 0;
    while (making->read([&](std::string_view line) {
        if (line.starts_with("child ")) {
            child = static_cast<pid_t>(std::stol(std::string(line.substr(6))));
            making->stop();
        }
    }))
        ;
    const auto stopped = making->finish();
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().message, "The guest \"small\" was not made, because it was stopped.");
    ASSERT_GT(child, 0);
    EXPECT_NE(kill(child, 0), 0);
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(GuestMakingTest, ClearsAwayWhatAKilledOneLeft)
{
    recipe(made);
    folder.write("cache/namsan/guests/.small.abc123/apt/state", "half done");
    ASSERT_TRUE(make());
    EXPECT_FALSE(fs::exists(folder.path("cache/namsan/guests/.small.abc123")));
}

TEST_F(GuestMakingTest, AMissingScriptIsASentence)
{
    const auto failed = makeGuest(folder.path("nothing"), "small", false, [](std::string_view) {});
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message.find("nothing cannot be started: No such file"), std::string::npos);
}

TEST_F(GuestMakingTest, RecipesTellWhatTheirGuestsTake)
{
    recipe(made);
    const GuestRecipes recipes(folder.path("recipes/make-guest"));
    ASSERT_EQ(recipes.all().size(), 1u);
    EXPECT_EQ(recipes.all().front().title, "A guest for a test");
    EXPECT_EQ(recipes.find("small")->cost(),
        "1 MB to download, 1 MB of disk while it is made, 1 MB when it is ready, some 1 second");
    for (const char* name : { "", ".", "..", "../recipes/small", "building" })
        EXPECT_FALSE(recipes.find(name)) << name;
}

TEST_F(GuestMakingTest, EveryRecipeOfTheProgramSaysWhatItTakes)
{
    const auto all = GuestRecipes::ofThisProgram().all();
    EXPECT_GE(all.size(), 3u);
    for (const GuestRecipe& recipe : all) {
        for (const std::string* text : { &recipe.title, &recipe.download, &recipe.disk, &recipe.kept, &recipe.time })
            EXPECT_FALSE(text->empty()) << recipe.name;
    }
}

} // namespace namsan
