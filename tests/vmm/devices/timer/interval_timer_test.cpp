// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/interval_timer.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

using namespace std::chrono_literals;

class IntervalTimerTest : public ::testing::Test {
protected:
    BareBoard board;
    IntervalTimer timer { board.ports(), board.timers(), IrqLine(board.interrupts(), 0) };

    void program(unsigned counter, unsigned mode, unsigned count)
    {
        board.out(0x43, static_cast<uint8_t>(counter << 6 | 0x30 | mode << 1));
        write(counter, count);
    }
    void write(unsigned counter, unsigned count)
    {
        board.out(static_cast<Port>(0x40 + counter), static_cast<uint8_t>(count));
        board.out(static_cast<Port>(0x40 + counter), static_cast<uint8_t>(count >> 8));
    }
    unsigned readCount(unsigned counter)
    {
        board.out(0x43, static_cast<uint8_t>(counter << 6));
        const unsigned low = board.in(static_cast<Port>(0x40 + counter));
        return low | static_cast<unsigned>(board.in(static_cast<Port>(0x40 + counter))) << 8;
    }
    int rises() const { return const_cast<BareBoard&>(board).interrupts().rises(0); }
};

TEST_F(IntervalTimerTest, DoesNothingUntilItIsProgrammed)
{
    board.advance(10s);
    EXPECT_EQ(rises(), 0);
    EXPECT_FALSE(board.timers().nextDeadline());
    EXPECT_EQ(board.in(0x43), 0xff);
}

TEST_F(IntervalTimerTest, TicksWithoutDrift)
{
    program(0, 2, 1193);
    const int atStart = rises();
    board.advance(60s);
    // 60 s are 71,590,920 pulses; the count was loaded with the second one, at the earliest.
    EXPECT_EQ(rises() - atStart, (60 * 1'193'182 - 1) / 1193);
    EXPECT_EQ(timer.ticks().late, 0u);
    EXPECT_EQ(timer.ticks().pending, 0u);
}

TEST_F(IntervalTimerTest, FiresAtTheFirstNanosecondOfThePulse)
{
    program(0, 0, 99);
    // Loaded at pulse 1, done at pulse 100: 100 / 1,193,182 s = 83,809.46 ns.
    EXPECT_EQ(board.timers().nextDeadline(), 83'810ns);
    board.advance(83'809ns);
    EXPECT_EQ(rises(), 0);
    EXPECT_EQ(timer.now(), 99);
    board.advance(1ns);
    EXPECT_EQ(rises(), 1);
    EXPECT_EQ(timer.now(), 100);
    board.advance(1s);
    EXPECT_EQ(rises(), 1);
    EXPECT_TRUE(board.interrupts().level(0));
}

TEST_F(IntervalTimerTest, ModeFourInterruptsAfterItsStrobe)
{
    program(0, 4, 98);
    const int atStart = rises();
    board.advance(83'809ns);
    EXPECT_EQ(rises() - atStart, 0);
    board.advance(1ns);
    EXPECT_EQ(rises() - atStart, 1);
    write(0, 98);
    board.advance(1s);
    EXPECT_EQ(rises() - atStart, 2);
}

TEST_F(IntervalTimerTest, AControlWordMovesTheLineAsItMovesTheOutput)
{
    program(0, 2, 0);
    EXPECT_TRUE(board.interrupts().level(0));
    EXPECT_EQ(rises(), 1);
    program(0, 0, 100);
    EXPECT_FALSE(board.interrupts().level(0));
    board.advance(1ms);
    EXPECT_TRUE(board.interrupts().level(0));
    board.out(0x40, 100);
    EXPECT_FALSE(board.interrupts().level(0)) << "mode 0: the first byte of a new count lowers the output";
}

TEST_F(IntervalTimerTest, CountsCanBeLatchedAndRead)
{
    program(2, 2, 10'000);
    timer.setToneGate(true);
    board.advance(1ms); // 1193 pulses
    EXPECT_EQ(readCount(2), 10'000u - 1192);
    program(0, 3, 10'000);
    board.advance(1ms);
    EXPECT_NEAR(readCount(0), 10'000 - 2 * 1192, 4);
}

TEST_F(IntervalTimerTest, ReadBackLatchesSeveralCountersAtOnce)
{
    program(0, 2, 5000);
    program(1, 3, 18);
    board.advance(1ms);
    board.out(0x43, 0xc2 | 0x04); // count and status of counters 0 and 1
    board.advance(10ms);
    EXPECT_EQ(board.in(0x40), 0b10110100);
    const unsigned low = board.in(0x40);
    EXPECT_EQ(low | static_cast<unsigned>(board.in(0x40)) << 8, 5000u - 1192);
    EXPECT_EQ(board.in(0x41) & 0x7f, 0b00110110);
    board.out(0x43, 0xe2); // status only
    EXPECT_EQ(board.in(0x40) & 0x3f, 0b110100);
    board.out(0x43, 0xf2); // nothing
    EXPECT_NE(readCount(0), 0u);
}

TEST_F(IntervalTimerTest, LateTicksArePendingAndCaughtUpAtABoundedRate)
{
    program(0, 2, 11'932); // 10.0002 ms
    board.advance(1ms);
    const int atStart = rises();
    board.starve(100ms);
    EXPECT_EQ(timer.ticks().pending, 10u);
    EXPECT_NEAR(static_cast<double>(timer.ticks().behind.count()), 91e6, 1e4);

    board.timers().runDue();
    EXPECT_EQ(rises() - atStart, 1) << "one at a time";
    board.timers().runDue();
    EXPECT_EQ(rises() - atStart, 1);
    board.advance(2499us);
    EXPECT_EQ(rises() - atStart, 1);
    board.advance(2us);
    EXPECT_EQ(rises() - atStart, 2) << "a quarter of the period later";

    board.advance(39ms);
    EXPECT_EQ(timer.ticks().pending, 0u);
    EXPECT_EQ(timer.ticks().behind, GuestTime(0));
    EXPECT_EQ(rises() - atStart, 14) << "the ten that were late and the four that came meanwhile";
    EXPECT_EQ(timer.ticks().delivered, 14u);
    EXPECT_GE(timer.ticks().late, 9u);
    EXPECT_EQ(timer.ticks().lost, 0u);
    const auto lateBefore = timer.ticks().late;
    board.advance(1s);
    EXPECT_EQ(timer.ticks().late, lateBefore);
    EXPECT_EQ(timer.ticks().delivered, 114u);
}

TEST_F(IntervalTimerTest, ReprogrammingLosesWhatIsPendingButForTheOneThatHardwareHadDelivered)
{
    program(0, 2, 11'932);
    board.advance(1ms);
    const int atStart = rises();
    board.starve(100ms);
    program(0, 2, 1193);
    EXPECT_EQ(rises() - atStart, 1);
    EXPECT_EQ(timer.ticks().lost, 9u);
    EXPECT_EQ(timer.ticks().pending, 0u);
    board.advance(10ms);
    EXPECT_EQ(rises() - atStart, 11);
}

TEST_F(IntervalTimerTest, AOneShotThatTheHostMissedIsDeliveredBeforeItIsSetAgain)
{
    program(0, 0, 100);
    board.starve(1ms);
    EXPECT_EQ(rises(), 0);
    write(0, 1000);
    EXPECT_EQ(rises(), 1);
    EXPECT_EQ(timer.ticks().lost, 0u);
    board.advance(1ms);
    EXPECT_EQ(rises(), 2);
}

TEST_F(IntervalTimerTest, AGuestCannotMakeTheHostTickFasterThanEvery10Microseconds)
{
    program(0, 2, 2); // 596,591 Hz
    const int atStart = rises();
    board.advance(10ms);
    EXPECT_NEAR(rises() - atStart, 1000, 2);
    EXPECT_NEAR(static_cast<double>(timer.ticks().pending), 5966 - 1000, 5);
    program(0, 3, 1);
    board.advance(10ms);
    EXPECT_LE(rises() - atStart, 1005);
}

TEST_F(IntervalTimerTest, ANewCountWithoutControlWordTakesOverAtTheEndOfTheCycle)
{
    program(0, 2, 1193);
    const int atStart = rises();
    board.advance(1500us);
    write(0, 11'932);
    board.advance(1ms);
    EXPECT_EQ(rises() - atStart, 2);
    board.advance(9ms);
    EXPECT_EQ(rises() - atStart, 2);
    board.advance(1ms);
    EXPECT_EQ(rises() - atStart, 3);
    EXPECT_EQ(timer.ticks().lost, 0u);

    program(0, 3, 11'932);
    const int beforeSquare = rises();
    board.advance(1ms);
    write(0, 1193); // at 5 ms the low half of the new cycle begins
    board.advance(4400us);
    EXPECT_EQ(rises(), beforeSquare);
    board.advance(200us);
    EXPECT_EQ(rises(), beforeSquare + 1);
    board.advance(10ms);
    EXPECT_EQ(rises(), beforeSquare + 11);
}

TEST_F(IntervalTimerTest, CounterTwoFollowsItsGate)
{
    program(2, 0, 1193);
    board.advance(5ms);
    EXPECT_FALSE(timer.toneOutput());
    timer.setToneGate(true);
    board.advance(900us);
    EXPECT_FALSE(timer.toneOutput());
    board.advance(200us);
    EXPECT_TRUE(timer.toneOutput());
    EXPECT_FALSE(timer.toneFrequency());
    program(2, 3, 1193);
    EXPECT_EQ(timer.toneFrequency(), 1000u);
    timer.setToneGate(false);
    EXPECT_FALSE(timer.toneFrequency());
    EXPECT_EQ(rises(), 0);
}

TEST_F(IntervalTimerTest, SurvivesAnyPortWrites)
{
    uint32_t random = 1;
    for (int i = 0; i < 20'000; ++i) {
        random = random * 1'664'525 + 1'013'904'223;
        const auto port = static_cast<Port>(0x40 + (random >> 30));
        board.out(port, static_cast<uint8_t>(random >> 16));
        board.in(static_cast<Port>(0x40 + (random >> 28 & 3)));
        if (i % 64 == 0)
            timer.setToneGate(random & 0x80);
        board.starve(GuestTime(random >> 12));
        board.timers().runDue();
        ASSERT_LT(timer.ticks().pending, 1u << 31) << "more delivered than due after " << i << " writes";
    }
    program(0, 2, 1193);
    const int atStart = rises();
    board.advance(100ms);
    EXPECT_NEAR(rises() - atStart, 100, 1);
}

TEST_F(IntervalTimerTest, ResetStopsEverything)
{
    program(0, 2, 1193);
    timer.setToneGate(true);
    timer.reset();
    const int atReset = rises();
    board.advance(1s);
    EXPECT_EQ(rises(), atReset);
    EXPECT_FALSE(board.interrupts().level(0));
    EXPECT_FALSE(timer.toneGate());
}

TEST_F(IntervalTimerTest, ComesBackFromASnapshotOnABoardWithAnotherTime)
{
    board.advance(123456789ns);
    program(0, 2, 11'932);
    program(2, 3, 1193);
    timer.setToneGate(true);
    board.advance(4ms);
    const Snapshot snapshot = board.save(timer);

    BareBoard elsewhere;
    IntervalTimer other(elsewhere.ports(), elsewhere.timers(), IrqLine(elsewhere.interrupts(), 0));
    ASSERT_TRUE(elsewhere.restore(other, snapshot));
    EXPECT_TRUE(elsewhere.interrupts().level(0));
    EXPECT_EQ(other.toneFrequency(), 1000u);
    const int atStart = elsewhere.interrupts().rises(0);
    elsewhere.advance(5990us);
    EXPECT_EQ(elsewhere.interrupts().rises(0), atStart);
    elsewhere.advance(20us);
    EXPECT_EQ(elsewhere.interrupts().rises(0), atStart + 1);
    elsewhere.advance(1s);
    EXPECT_EQ(elsewhere.interrupts().rises(0), atStart + 100);
}

TEST_F(IntervalTimerTest, RefusesDamagedSnapshotsAndKeepsItsState)
{
    program(0, 3, 11'932);
    board.advance(55ms);
    const Snapshot snapshot = board.save(timer);
    for (size_t length = 0; length < snapshot.size(); ++length)
        EXPECT_FALSE(board.restore(timer, Snapshot(snapshot.begin(), snapshot.begin() + static_cast<long>(length))));
    for (const auto& [offset, value] : std::vector<std::pair<size_t, uint8_t>> {
             { 0, 0 }, { 0, 4 }, { 1, 6 }, { 3, 0 }, { 7, 0xff }, { 16, 0x7f }, { 17, 1 }, { 25, 0x80 } }) {
        Snapshot damaged = snapshot;
        damaged[offset] = value;
        EXPECT_FALSE(board.restore(timer, damaged)) << offset;
    }
    EXPECT_EQ(board.save(timer), snapshot);
}

TEST_F(IntervalTimerTest, SurvivesEverySnapshotWithOneWrongByte)
{
    program(0, 3, 11'932);
    board.advance(55ms);
    write(0, 2000);
    const Snapshot snapshot = board.save(timer);
    int accepted = 0;
    for (size_t offset = 0; offset < snapshot.size(); ++offset) {
        for (const uint8_t wrong : std::initializer_list<uint8_t> { 0x01, 0x80, 0xff }) {
            Snapshot damaged = snapshot;
            damaged[offset] = static_cast<uint8_t>(damaged[offset] ^ wrong);
            accepted += board.restore(timer, damaged);
            board.starve(20ms);
            board.timers().runDue();
            board.in(0x40);
        }
    }
    EXPECT_GT(accepted, 0);
    EXPECT_TRUE(board.restore(timer, snapshot));
}

} // namespace namsan
