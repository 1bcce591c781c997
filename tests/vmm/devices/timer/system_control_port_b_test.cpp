// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/system_control_port_b.h"

#include "tests/support/bare_board.h"
#include "vmm/devices/timer/interval_timer.h"

#include <gtest/gtest.h>

namespace namsan {

using namespace std::chrono_literals;

class SystemControlPortBTest : public ::testing::Test {
protected:
    BareBoard board;
    IntervalTimer timer { board.ports(), board.timers(), IrqLine(board.interrupts(), 0) };
    SystemControlPortB port { board.ports(), timer };
    std::vector<SpeakerChange> heard;

    void SetUp() override
    {
        port.speakerChanges().listen([this](const SpeakerChange& change) { heard.push_back(change); });
    }
    void tone(unsigned count)
    {
        board.out(0x43, 0xb6);
        board.out(0x42, static_cast<uint8_t>(count));
        board.out(0x42, static_cast<uint8_t>(count >> 8));
    }
};

TEST_F(SystemControlPortBTest, KeepsItsFourBitsAndHasNoMemoryErrors)
{
    board.out(0x61, 0xff);
    EXPECT_EQ(board.in(0x61) & 0xcf, 0x0f);
    board.out(0x61, 0x04);
    EXPECT_EQ(board.in(0x61) & 0xcf, 0x04);
}

TEST_F(SystemControlPortBTest, TogglesWithEachRefresh)
{
    int toggles = 0;
    uint8_t before = board.in(0x61) & 0x10;
    for (int microseconds = 0; microseconds < 1509; ++microseconds) {
        board.advance(1us);
        const uint8_t now = board.in(0x61) & 0x10;
        toggles += now != before;
        before = now;
    }
    EXPECT_EQ(toggles, 100);
}

TEST_F(SystemControlPortBTest, ShowsCounterTwosOutput)
{
    board.out(0x61, 0x01);
    board.out(0x43, 0xb0); // mode 0, as for calibrating a TSC
    board.out(0x42, 0xa9);
    board.out(0x42, 0x04); // 1193
    EXPECT_EQ(board.in(0x61) & 0x20, 0);
    board.advance(999us);
    EXPECT_EQ(board.in(0x61) & 0x20, 0);
    board.advance(2us);
    EXPECT_EQ(board.in(0x61) & 0x20, 0x20);
}

TEST_F(SystemControlPortBTest, SpeaksWhileGateAndDataAreOn)
{
    tone(1193);
    EXPECT_TRUE(heard.empty());
    board.out(0x61, 0x02);
    EXPECT_TRUE(heard.empty()) << "the gate is low";
    board.out(0x61, 0x03);
    board.out(0x61, 0x03);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0], (SpeakerChange { true, 1000 }));
    tone(2386);
    EXPECT_EQ(heard.back(), (SpeakerChange { true, 500 }));
    board.out(0x61, 0x01);
    EXPECT_EQ(heard.back(), (SpeakerChange { false, 0 }));
}

TEST_F(SystemControlPortBTest, FallsSilentOnReset)
{
    tone(1193);
    board.out(0x61, 0x0f);
    port.reset();
    EXPECT_EQ(board.in(0x61) & 0x0f, 0);
    EXPECT_FALSE(timer.toneGate());
    EXPECT_FALSE(heard.back().on);
}

TEST_F(SystemControlPortBTest, SpeaksAgainAfterARestoreInEitherOrder)
{
    tone(1193);
    board.out(0x61, 0x03);
    const Snapshot timerState = board.save(timer);
    const Snapshot portState = board.save(port);
    for (const bool timerFirst : { true, false }) {
        timer.reset();
        port.reset();
        ASSERT_FALSE(heard.back().on);
        ASSERT_TRUE(timerFirst ? board.restore(timer, timerState) : board.restore(port, portState));
        ASSERT_TRUE(timerFirst ? board.restore(port, portState) : board.restore(timer, timerState));
        EXPECT_EQ(heard.back(), (SpeakerChange { true, 1000 }));
        EXPECT_TRUE(timer.toneGate());
    }
}

TEST_F(SystemControlPortBTest, RefusesDamagedSnapshots)
{
    board.out(0x61, 0x04);
    EXPECT_FALSE(board.restore(port, {}));
    EXPECT_FALSE(board.restore(port, { 0x10 }));
    EXPECT_EQ(board.in(0x61) & 0x0f, 0x04);
}

} // namespace namsan
