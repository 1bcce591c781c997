// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lane_track.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

using namespace std::chrono_literals;

MachineSample sampleAt(std::chrono::milliseconds time, uint64_t instructions)
{
    MachineSample sample;
    sample.hostTime = time;
    sample.guestTime = time;
    sample.vcpus.resize(2);
    sample.vcpus[0].instructions = instructions;
    sample.vcpus[1].instructions = instructions;
    return sample;
}

} // namespace

TEST(WorkloadProgressTest, IsWhatTheGuestSays)
{
    EXPECT_EQ(parseProgressLine("! DONE: kbuild 16 of 40 12.34 s"), (WorkloadProgress { "kbuild", 16, 40, 12.34 }));
    for (const char* line : { "", "! DONE: ", "! DONE: kbuild", "! DONE: kbuild 16 of 40",
             "! DONE: kbuild 41 of 40 1 s", "! DONE: kbuild -1 of 40 1 s", "! DONE: kbuild 1 of 40 inf s",
             "! DONE: kbuild 1 of 40 1 s more", "x! DONE: kbuild 1 of 40 1 s", "! DONE: kbuild 1 von 40 1 s",
             "! DONE:  1 of 40 1 s", "! DONE: kbuild 99999999999 of 99999999999 1 s", "! DONE: kbuild 1.5 of 40 1 s" })
        EXPECT_FALSE(parseProgressLine(line)) << line;
}

TEST(LaneTrackTest, CountsFromItsMark)
{
    LaneTrack track;
    track.add(sampleAt(1000ms, 0));
    EXPECT_EQ(track.guestSeconds(), 0);
    track.begin(2000ms);
    track.add(sampleAt(2000ms, 100'000'000));
    track.add(sampleAt(2400ms, 120'000'000));
    EXPECT_DOUBLE_EQ(track.guestSeconds(), 0.4);
    EXPECT_FALSE(track.mips()); // not long enough
    track.add(sampleAt(3000ms, 200'000'000));
    ASSERT_TRUE(track.mips());
    EXPECT_DOUBLE_EQ(*track.mips(), 200);
    EXPECT_EQ(track.total(), 0U);
    track.finish(0.98);
    track.add(sampleAt(9000ms, 0));
    EXPECT_EQ(track.guestSeconds(), 0.98);
}

TEST(LaneTrackTest, KeepsStepsThatGoForward)
{
    LaneTrack track;
    track.note({ "kbuild", 1, 40, 1 }); // before its mark
    EXPECT_TRUE(track.steps().empty());
    track.begin(0ns);
    track.note({ "kbuild", 1, 40, 1 });
    track.note({ "kbuild", 3, 40, 2 });
    track.note({ "kbuild", 2, 40, 3 });
    track.note({ "kbuild", 4, 40, 1.5 });
    track.note({ "kbuild", 4, 50, 4 });
    EXPECT_EQ(track.steps().size(), 2U);
    EXPECT_EQ(track.done(), 3U);
    EXPECT_EQ(track.total(), 40U);
}

TEST(LaneTrackTest, StaysSmallWhateverTheGuestDoes)
{
    LaneTrack track;
    track.begin(0ns);
    for (unsigned i = 0; i < 3 * LaneTrack::mostPoints; ++i) {
        track.note({ "kbuild", i, 4'000'000, i * 0.001 });
        track.add(sampleAt(std::chrono::milliseconds(600 * i), i));
    }
    EXPECT_LE(track.steps().size(), LaneTrack::mostPoints);
    EXPECT_LE(track.speeds().size(), LaneTrack::mostPoints + 1);
    EXPECT_GT(track.speeds().back().guestSeconds, 7000);
}

} // namespace namsan
