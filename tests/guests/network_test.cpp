// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/page_server.h"
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <random>

namespace namsan {

namespace {

// What sha256sum(1) of the host says of a file: the guest has the same program.
std::string sha256Of(const std::string& path)
{
    const std::string command = "sha256sum " + path;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 65> sum {};
    if (pipe) {
        EXPECT_NE(fgets(sum.data(), static_cast<int>(sum.size()), pipe), nullptr);
        pclose(pipe);
    }
    return sum.data();
}

std::string randomPage(size_t size)
{
    std::random_device seed;
    std::mt19937 random(seed());
    std::string page(size, ' ');
    for (char& c : page)
        c = static_cast<char>(random());
    return page;
}

class NetworkTest : public ::testing::Test {
protected:
    const TemporaryFolder results;

    void SetUp() override
    {
        ASSERT_TRUE(exists(guestFolder("tiny-net") / "vmlinuz"))
            << "There is no guest tiny-net. Make it: resources/guests/make-guest tiny-net (./test does).";
    }
    ProgramRun run(std::vector<std::string> more)
    {
        std::vector<std::string> arguments { "run", "tiny-net", "--headless", "--engine", "soft", "--serial",
            results.path("serial"), "--record", results.path("record.json"), "--timeout", "200" };
        arguments.insert(arguments.end(), more.begin(), more.end());
        return runNamsan(arguments);
    }
    std::string serial() const { return contentsOf(results.path("serial")); }
};

} // namespace

TEST_F(NetworkTest, FetchesAPageFromTheHostOverTheNat)
{
    const std::string page = randomPage(300'000);
    const PageServer server([&](const std::string&) { return page; });
    results.write("page", page);
    const std::string sum = sha256Of(results.path("page"));
    ASSERT_EQ(sum.size(), 64u);
    const ProgramRun done = run({ "--type",
        fmt::format(
            "/ #=>wget -q -O /tmp/page http://10.0.2.2:{}/page; sha256sum /tmp/page >/dev/ttyS0\\n", server.port()),
        "--until", sum });
    EXPECT_EQ(done.exitCode, 0) << done.output << serial();
    EXPECT_NE(serial().find("eth0: 10.0.2.15/24"), std::string::npos) << serial();
    EXPECT_EQ(server.asked("/page"), 1);
    const auto record = nlohmann::json::parse(contentsOf(results.path("record.json")));
    const auto& figures = record.at("samples").back().at("network");
    EXPECT_GT(figures.at("bytes_received").get<uint64_t>(), page.size());
    EXPECT_EQ(figures.at("frames_malformed"), 0);
}

TEST_F(NetworkTest, ReachesNothingOnTheHostIfTold)
{
    const PageServer server([](const std::string&) { return "never seen"; });
    const ProgramRun done = run({ "--no-host-access", "--type",
        fmt::format(
            "/ #=>wget -q -T 5 -O - http://10.0.2.2:{}/page || echo refused $((6*7)) >/dev/ttyS0\\n", server.port()),
        "--until", "refused 42" });
    EXPECT_EQ(done.exitCode, 0) << done.output << serial();
    EXPECT_TRUE(server.allAsked().empty());
}

TEST_F(NetworkTest, HasAnAddressOfflineAndReachesNothing)
{
    const PageServer server([](const std::string&) { return "never seen"; });
    const ProgramRun done = run({ "--network", "offline", "--type",
        fmt::format(
            "/ #=>wget -q -T 5 -O - http://10.0.2.2:{}/page || echo refused $((6*7)) >/dev/ttyS0\\n", server.port()),
        "--until", "refused 42" });
    EXPECT_EQ(done.exitCode, 0) << done.output << serial();
    EXPECT_NE(serial().find("eth0: 10.0.2.15/24"), std::string::npos) << serial();
    EXPECT_TRUE(server.allAsked().empty());
}

} // namespace namsan
