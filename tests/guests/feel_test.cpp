// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_run.h"
#include "tests/support/typing.h"
#include "tests/support/watched_guest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sys/resource.h>
#include <thread>

namespace namsan {

namespace {
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

MachineConfig tinyGuest()
{
    const auto folder = guestFolder("tiny");
    MachineConfig config;
    config.name = "tiny";
    config.kernel = folder / "vmlinuz";
    config.initrd = folder / "initrd.gz";
    config.append = "console=tty0 console=ttyS0 cryptomgr.notests";
    config.engine = "soft";
    return config;
}

std::chrono::nanoseconds cpuTimeOfProcess()
{
    timespec time {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// MiB of this process's memory that are no guest RAM: anonymous pages (proc(5), status: RssAnon).
double privateMebibytes()
{
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == "RssAnon:") {
            double kibibytes = 0;
            status >> kibibytes;
            return kibibytes / 1024;
        }
    }
    return 0;
}

constexpr HidUsage keyX = 0x1b;
constexpr HidUsage keyBackspace = 0x2a;

// Milliseconds, at a prompt on the screen; infinite where a key does not come there.
double medianKeyDelay(WatchedGuest& guest, const char* where)
{
    std::vector<std::chrono::duration<double, std::milli>> delays;
    for (int i = 0; i < 21; ++i) {
        // The gap lets the cursor's blinking and the echo of the key before come to rest.
        std::this_thread::sleep_for(150ms);
        const auto pressed = SteadyClock::now();
        guest.press(keyX);
        if (!guest.waitForScreen("/ # x"))
            return std::numeric_limits<double>::infinity();
        delays.push_back(SteadyClock::now() - pressed);
        guest.press(keyBackspace);
        if (!guest.waitForFrame([](const Frame& frame) {
                return std::none_of(frame.text.begin(), frame.text.end(),
                    [](const std::string& line) { return line.find("/ # x") != std::string::npos; });
            }))
            return std::numeric_limits<double>::infinity();
    }
    std::sort(delays.begin(), delays.end());
    const double median = delays[delays.size() / 2].count();
    std::printf("key press to changed picture of %s: median %.1f ms, %.1f to %.1f ms\n", where, median,
        delays.front().count(), delays.back().count());
    return median;
}

void expectIdleAtPrompt(WatchedGuest& guest, double mostOfACore)
{
    ASSERT_TRUE(guest.waitForScreen("/ #"));
    ASSERT_TRUE(guest.waitForSerial("/ #"));
    // What the guest still does right after its prompt is not idling.
    std::this_thread::sleep_for(2s);

    const auto cpuBefore = cpuTimeOfProcess();
    const auto hostBefore = SteadyClock::now();
    std::this_thread::sleep_for(5s);
    const double share = std::chrono::duration<double>(cpuTimeOfProcess() - cpuBefore)
        / std::chrono::duration<double>(SteadyClock::now() - hostBefore);
    ::testing::Test::RecordProperty("idle_percent_of_a_core", std::to_string(100 * share));
    std::printf("idle guest: %.2f %% of a core\n", 100 * share);
    EXPECT_LT(share, mostOfACore);
    EXPECT_GT(share, 0.0001) << "a guest that ticks 250 times a second cannot cost nothing: was it running?";
}
} // namespace

TEST(Feel, AGuestAtItsPromptCostsLittle)
{
    WatchedGuest guest(tinyGuest());
    ASSERT_TRUE(guest.machineWasMade());
    // On a quiet machine it is under 5 %; here others may run beside it and take the caches away.
    expectIdleAtPrompt(guest, 0.15);

    std::printf("memory beyond guest RAM: %.1f MiB\n", privateMebibytes());
    EXPECT_LT(privateMebibytes(), 150);
}

TEST(Feel, TwoProcessorsAtThePromptCostLittle)
{
    MachineConfig config = tinyGuest();
    config.vcpus = 2;
    WatchedGuest guest(config);
    ASSERT_TRUE(guest.machineWasMade());
    expectIdleAtPrompt(guest, 0.2); // on a quiet machine it is under 8 %
}

TEST(Feel, AKeyPressChangesThePictureSoon)
{
    WatchedGuest guest(tinyGuest());
    ASSERT_TRUE(guest.machineWasMade());
    ASSERT_TRUE(guest.waitForScreen("/ #"));
    EXPECT_LT(medianKeyDelay(guest, "an idle guest"), 30);
    typeInto(guest.machine(), "while :; do :; done &\\n");
    ASSERT_TRUE(guest.waitForScreen("done &"));
    EXPECT_LT(medianKeyDelay(guest, "a guest that computes"), 20);
}

TEST(Feel, ThePowerButtonSwitchesTheGuestOff)
{
    WatchedGuest guest(tinyGuest());
    ASSERT_TRUE(guest.machineWasMade());
    ASSERT_TRUE(guest.waitForSerial("/ #"));
    guest.machine().pressPowerButton();
    ASSERT_TRUE(guest.machine().waitForEnd(20s));
    EXPECT_EQ(guest.machine().ending()->reason, MachineEnding::Reason::PoweredOff);
}

TEST(Feel, ThreadsRunWhereTheyAreToldWhileTheGuestRuns)
{
    const auto topology = readTopology();
    ASSERT_TRUE(topology.ok());
    WatchedGuest guest(tinyGuest());
    ASSERT_TRUE(guest.machineWasMade());
    // The boot keeps the vCPU busy; each move must be visible in /proc within a second.
    for (const LogicalCpu cpu : topology->allowed()) {
        ASSERT_TRUE(guest.machine().place({ .vmm = cpu, .vcpus = { cpu } }).ok());
        std::this_thread::sleep_for(500ms);
        for (const ThreadFigures& thread : guest.machine().sample().threads) {
            EXPECT_EQ(thread.granted, CpuSet { cpu }) << thread.role;
            EXPECT_EQ(thread.lastCpu, cpu) << thread.role;
        }
    }
}

} // namespace namsan
