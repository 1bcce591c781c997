// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/time/clock.h"

#include "vmm/base/scaled_division.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace namsan {

namespace {
// Watches the clock until it has moved; it is the host's own time that passes.
void letItMove(const HostClock& clock)
{
    const uint64_t before = clock.tsc();
    while (clock.tsc() == before) { }
}
} // namespace

TEST(HostClock, StandsAtZeroUntilItIsStarted)
{
    HostClock clock;
    EXPECT_EQ(clock.now(), GuestTime(0));
    EXPECT_EQ(clock.tsc(), 0u);
    EXPECT_GE(clock.tscFrequency(), 100'000'000u);
    clock.stop();
    EXPECT_EQ(clock.tsc(), 0u);
}

TEST(HostClock, StandsStillWhileStoppedAndGoesOnWhereItWas)
{
    HostClock clock;
    clock.start();
    letItMove(clock);
    clock.stop();
    const uint64_t stopped = clock.tsc();
    EXPECT_GT(stopped, 0u);
    clock.stop();
    HostClock running;
    running.start();
    letItMove(running);
    EXPECT_EQ(clock.tsc(), stopped);
    clock.start();
    letItMove(clock);
    const uint64_t later = clock.tsc();
    EXPECT_GT(later, stopped);
    clock.start();
    EXPECT_GE(clock.tsc(), later) << "starting a running clock must not set it back";
}

TEST(HostClock, NeverGoesBackOnAnyThread)
{
    HostClock clock;
    clock.start();
    std::atomic<uint64_t> newest = 0;
    std::atomic<bool> wentBack = false;
    const auto watch = [&] {
        for (int i = 0; i < 20000; ++i) {
            const uint64_t seen = newest.load();
            const uint64_t now = clock.tsc();
            if (now < seen)
                wentBack = true;
            newest.store(now);
        }
    };
    std::thread other(watch);
    watch();
    other.join();
    EXPECT_FALSE(wentBack);
}

TEST(HostClock, TellsTheSameTimeInTicksAndInNanoseconds)
{
    HostClock clock;
    clock.start();
    letItMove(clock);
    clock.stop();
    EXPECT_EQ(
        static_cast<uint64_t>(clock.now().count()), multiplyDivide(clock.tsc(), 1'000'000'000, clock.tscFrequency()));
}

TEST(ManualClock, MovesOnlyByHand)
{
    ManualClock clock;
    EXPECT_EQ(clock.now(), GuestTime(0));
    clock.advance(GuestTime(1500));
    EXPECT_EQ(clock.now(), GuestTime(1500));
    EXPECT_EQ(clock.tsc(), 1500u);
}

} // namespace namsan
