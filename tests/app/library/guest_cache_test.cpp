// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/guest_cache.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

constexpr const char* tiny = R"({"format": "namsan-guest", "version": 1, "name": "tiny", "title": "Tiny",
    "kernel": "vmlinuz", "initrd": "initrd.gz", "append": "console=ttyS0", "memory": "128M",
    "workloads": {"count": "namsan.workload=count"}})";

class GuestCacheTest : public ::testing::Test {
protected:
    std::string refusal(std::string_view description)
    {
        folder.write("broken/guest.json", description);
        const auto guest = cache.find("broken");
        EXPECT_FALSE(guest) << description;
        return guest ? "" : guest.error().message;
    }

    const TemporaryFolder folder;
    const GuestCache cache { folder.path("") };
};

} // namespace

TEST_F(GuestCacheTest, ReadsAGuestWithItsFilesBesideIt)
{
    folder.write("tiny/guest.json", tiny);
    const auto guest = cache.find("tiny");
    ASSERT_TRUE(guest) << guest.error().message;
    EXPECT_EQ(guest->title, "Tiny");
    EXPECT_EQ(guest->config.name, "tiny");
    EXPECT_EQ(guest->config.kernel, folder.path("tiny/vmlinuz"));
    EXPECT_EQ(guest->config.initrd, folder.path("tiny/initrd.gz"));
    EXPECT_EQ(guest->config.append, "console=ttyS0");
    EXPECT_EQ(guest->config.memoryBytes, uint64_t { 128 } << 20);
    EXPECT_EQ(guest->workloads.at("count"), "namsan.workload=count");
    EXPECT_EQ(cache.names(), std::vector<std::string> { "tiny" });
}

TEST_F(GuestCacheTest, ReadsAMultibootGuestWithItsModules)
{
    folder.write("toy/guest.json",
        R"({"format": "namsan-guest", "version": 1, "title": "Toy", "multiboot": "kernel",
            "modules": ["a text", "b"], "devices": "debugcon"})");
    const auto guest = cache.find("toy");
    ASSERT_TRUE(guest) << guest.error().message;
    EXPECT_EQ(guest->config.multiboot, folder.path("toy/kernel"));
    EXPECT_EQ(guest->config.modules, (std::vector<std::string> { folder.path("toy/a text"), folder.path("toy/b") }));
    EXPECT_EQ(guest->config.devices, (std::vector<OptionalDevice> { { OptionalDevice::Kind::DebugConsole, "" } }));
}

TEST_F(GuestCacheTest, SaysHowToMakeAGuestThatIsMissing)
{
    const auto guest = cache.find("tiny");
    ASSERT_FALSE(guest);
    EXPECT_TRUE(guest.error().message.starts_with(
        "The guest \"tiny\" is not in " + cache.folder().string() + ". Make it once with "))
        << guest.error().message;
    EXPECT_NE(guest.error().message.find("make-guest tiny"), std::string::npos);
    EXPECT_TRUE(cache.names().empty());
}

TEST_F(GuestCacheTest, LeavesItsFolderForNoName)
{
    folder.write("guest.json", tiny);
    for (const char* name : { "", ".", "..", "../tiny", "/etc", "a/b", "a b" })
        EXPECT_FALSE(cache.find(name)) << name;
    EXPECT_EQ(cache.find("../x").error().message,
        "\"../x\" is no name of a guest; \"namsan doctor\" lists those that there are.");
}

TEST_F(GuestCacheTest, SaysWhatIsWrongWithADescription)
{
    EXPECT_NE(refusal("").find("it is no description of a guest"), std::string::npos);
    EXPECT_NE(refusal("[1]").find("it is no description of a guest"), std::string::npos);
    EXPECT_NE(refusal(R"({"format": 1})").find("it is no description of a guest"), std::string::npos);
    EXPECT_NE(refusal(R"({"format": "namsan-guest", "version": 2})").find("another version"), std::string::npos);
    EXPECT_NE(refusal(R"({"format": "namsan-guest", "version": 1, "memory": "9T"})").find("\"9T\" is not understood"),
        std::string::npos);
}

TEST_F(GuestCacheTest, FollowsTheBaseDirectorySpecification)
{
    const char* before = std::getenv("XDG_CACHE_HOME");
    const std::string kept = before ? before : "";
    setenv("XDG_CACHE_HOME", "/somewhere", 1);
    EXPECT_EQ(GuestCache::defaultFolder(), "/somewhere/namsan/guests");
    setenv("XDG_CACHE_HOME", "relative", 1);
    EXPECT_TRUE(GuestCache::defaultFolder().string().ends_with("/.cache/namsan/guests"));
    before ? setenv("XDG_CACHE_HOME", kept.c_str(), 1) : unsetenv("XDG_CACHE_HOME");
}

} // namespace namsan
