// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/real_time_clock.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

using namespace std::chrono_literals;
using namespace std::chrono;

class RealTimeClockTest : public ::testing::Test {
protected:
    static constexpr sys_seconds start = sys_days { 2024y / February / 28 } + 23h + 59min + 58s; // a Wednesday
    static constexpr uint8_t set = 0x80, pie = 0x40, aie = 0x20, uie = 0x10, binary = 0x04, hours24 = 0x02;

    BareBoard board;
    RealTimeClock clock { board.ports(), board.timers(), IrqLine(board.interrupts(), 8), start };

    uint8_t read(uint8_t index)
    {
        board.out(0x70, index);
        return board.in(0x71);
    }
    void write(uint8_t index, uint8_t value)
    {
        board.out(0x70, index);
        board.out(0x71, value);
    }
    std::vector<int> dateAndTime() // century, year, month, day, weekday, hour, minute, second as the bytes are
    {
        std::vector<int> bytes;
        for (const int index : { 0x32, 9, 8, 7, 6, 4, 2, 0 })
            bytes.push_back(read(static_cast<uint8_t>(index)));
        return bytes;
    }
    bool irq() { return board.interrupts().level(8); }
};

TEST_F(RealTimeClockTest, TellsTheDateInDecimalDigits)
{
    EXPECT_EQ(dateAndTime(), (std::vector { 0x20, 0x24, 2, 0x28, 4, 0x23, 0x59, 0x58 }));
    EXPECT_EQ(read(0x0a), 0x26);
    EXPECT_EQ(read(0x0b), 0x02);
    EXPECT_EQ(read(0x0d), 0x80) << "the battery is good";
    EXPECT_EQ(board.in(0x70), 0xff);
}

TEST_F(RealTimeClockTest, GoesOnWithTheGuestsTime)
{
    board.advance(1999ms);
    EXPECT_EQ(read(0), 0x59);
    board.advance(1ms);
    EXPECT_EQ(dateAndTime(), (std::vector { 0x20, 0x24, 2, 0x29, 5, 0, 0, 0 })) << "a leap year";
    board.advance(24h);
    EXPECT_EQ(dateAndTime(), (std::vector { 0x20, 0x24, 3, 1, 6, 0, 0, 0 }));
    EXPECT_FALSE(board.timers().nextDeadline()) << "no interrupt, no timer";
}

TEST_F(RealTimeClockTest, SpeaksBinaryAndTwelveHours)
{
    write(0x0b, binary | hours24);
    EXPECT_EQ(dateAndTime(), (std::vector { 20, 24, 2, 28, 4, 23, 59, 58 }));
    write(0x0b, binary);
    EXPECT_EQ(read(4), 0x80 | 11);
    write(0x0b, 0);
    EXPECT_EQ(read(4), 0x91);
    board.advance(2s);
    EXPECT_EQ(read(4), 0x12) << "midnight is 12 AM";
    board.advance(12h);
    EXPECT_EQ(read(4), 0x92) << "noon is 12 PM";
    board.advance(1h);
    EXPECT_EQ(read(4), 0x81);
}

TEST_F(RealTimeClockTest, TakesADateWhileItIsHeld)
{
    write(0x0b, hours24 | set);
    const std::vector<std::pair<uint8_t, uint8_t>> date { { 0x32, 0x19 }, { 9, 0x99 }, { 8, 0x12 }, { 7, 0x31 },
        { 4, 0x23 }, { 2, 0x59 }, { 0, 0x59 } };
    for (const auto& [index, value] : date)
        write(index, value);
    board.advance(10s);
    EXPECT_EQ(read(0), 0x59) << "held";
    write(0x0b, hours24);
    board.advance(1s);
    EXPECT_EQ(dateAndTime(), (std::vector { 0x20, 0x00, 1, 1, 7, 0, 0, 0 })) << "the first of January 2000, a Saturday";
}

TEST_F(RealTimeClockTest, TakesSingleBytesWhileItRuns)
{
    write(4, 0x07);
    EXPECT_EQ(dateAndTime(), (std::vector { 0x20, 0x24, 2, 0x28, 4, 0x07, 0x59, 0x58 }));
    write(0x0b, 0);
    write(4, 0x92);
    EXPECT_EQ(read(4), 0x92);
    write(0x0b, hours24);
    EXPECT_EQ(read(4), 0x12);
}

TEST_F(RealTimeClockTest, MakesIllegalDatesLegal)
{
    write(0x0b, hours24 | set);
    for (const int index : { 0, 2, 4, 6, 7, 8, 9, 0x32 })
        write(static_cast<uint8_t>(index), 0xff);
    EXPECT_EQ(read(8), 0xff) << "while held, a byte is what was written";
    write(0x0b, hours24);
    EXPECT_EQ(dateAndTime(), (std::vector { 0x99, 0x99, 0x12, 0x31, 6, 0x23, 0x59, 0x59 }));
    board.advance(1s);
    EXPECT_EQ(read(8), 1);
    write(8, 0);
    write(7, 0);
    EXPECT_EQ(read(8), 1);
    EXPECT_EQ(read(7), 1);
}

TEST_F(RealTimeClockTest, WarnsOfAnUpdate)
{
    board.advance(999'755us);
    EXPECT_EQ(read(0x0a) & 0x80, 0);
    board.advance(1us);
    EXPECT_EQ(read(0x0a) & 0x80, 0x80);
    EXPECT_EQ(read(0), 0x58);
    board.advance(244us);
    EXPECT_EQ(read(0x0a) & 0x80, 0);
    EXPECT_EQ(read(0), 0x59);
    board.advance(999'900us);
    write(0x0b, hours24 | set);
    EXPECT_EQ(read(0x0a) & 0x80, 0) << "no update comes while the date is held";
}

TEST_F(RealTimeClockTest, UpdatesHalfASecondAfterTheDividerIsReleased)
{
    write(0x0b, hours24 | set);
    write(0x0a, 0x76);
    write(0, 0x10);
    board.advance(3s);
    write(0x0b, hours24);
    board.advance(3s);
    EXPECT_EQ(read(0), 0x10) << "nothing moves while the divider is held at zero";
    write(0x0a, 0x26);
    board.advance(499ms);
    EXPECT_EQ(read(0), 0x10);
    board.advance(1ms);
    EXPECT_EQ(read(0), 0x11);
}

TEST_F(RealTimeClockTest, TellsOfEachUpdate)
{
    write(0x0a, 0x20); // no periodic ticks
    write(5, 0x12); // no alarm for now
    read(0x0c);
    board.advance(1s);
    EXPECT_EQ(read(0x0c), 0x10) << "the flag stands without the interrupt";
    EXPECT_EQ(read(0x0c), 0);
    write(0x0b, hours24 | uie);
    EXPECT_FALSE(irq());
    board.advance(999ms);
    EXPECT_FALSE(irq());
    board.advance(1ms);
    EXPECT_TRUE(irq());
    board.advance(5s);
    EXPECT_EQ(board.interrupts().rises(8), 1) << "until register C is read";
    EXPECT_EQ(read(0x0c), 0x90);
    EXPECT_FALSE(irq());
    board.advance(1s);
    EXPECT_EQ(board.interrupts().rises(8), 2);
    write(0x0b, hours24 | uie | set);
    EXPECT_EQ(read(0x0b), hours24 | set) << "SET clears the update interrupt's enable bit";
    EXPECT_FALSE(irq());
}

TEST_F(RealTimeClockTest, InterruptsPeriodically)
{
    write(0x0b, hours24 | pie);
    int interrupts = 0;
    for (int i = 0; i < 10'000; ++i) {
        board.advance(100us);
        if (irq()) {
            ++interrupts;
            EXPECT_EQ(read(0x0c) & 0xc0, 0xc0);
        }
    }
    EXPECT_EQ(interrupts, 1024);
    EXPECT_EQ(clock.lostTicks(), 0u);
}

TEST_F(RealTimeClockTest, HasThePeriodsOfTheDataSheet)
{
    write(0x0b, hours24 | pie);
    const std::vector<std::pair<uint8_t, GuestTime>> periods { { 1, 3'906'250ns }, { 2, 7'812'500ns }, { 3, 122'071ns },
        { 6, 976'563ns }, { 15, 500ms } };
    for (const auto& [rate, period] : periods) {
        write(0x0a, static_cast<uint8_t>(0x20 | rate));
        read(0x0c);
        board.advance(*board.timers().nextDeadline() - board.now());
        ASSERT_TRUE(irq());
        read(0x0c);
        EXPECT_NEAR(static_cast<double>((*board.timers().nextDeadline() - board.now()).count()),
            static_cast<double>(period.count()), 1.0)
            << int { rate };
    }
    write(0x0a, 0x20);
    read(0x0c);
    EXPECT_FALSE(board.timers().nextDeadline()) << "rate 0 is none";
}

TEST_F(RealTimeClockTest, CountsPeriodicTicksThatTheHostLost)
{
    write(0x0a, 0x2f); // 2 Hz
    write(0x0b, hours24 | pie);
    board.starve(2200ms);
    board.timers().runDue();
    EXPECT_TRUE(irq());
    EXPECT_EQ(clock.lostTicks(), 3u);
    read(0x0c);
    board.advance(300ms);
    EXPECT_TRUE(irq());
    EXPECT_EQ(clock.lostTicks(), 3u);
}

TEST_F(RealTimeClockTest, RingsAtTheAlarm)
{
    write(0x0a, 0x20);
    write(1, 0x01);
    write(3, 0x00);
    write(5, 0x00);
    write(0x0b, hours24 | aie);
    board.advance(2999ms);
    EXPECT_FALSE(irq());
    board.advance(1ms);
    EXPECT_TRUE(irq());
    EXPECT_EQ(read(0x0c), 0xb0) << "an alarm comes with an update";
    board.advance(24h - 1ms);
    EXPECT_FALSE(irq());
    board.advance(1ms);
    EXPECT_TRUE(irq());
}

TEST_F(RealTimeClockTest, AlarmBytesFromC0UpMatchAlways)
{
    write(1, 0x30);
    write(3, 0xc0);
    write(5, 0xff);
    write(0x0b, hours24 | aie);
    board.advance(32s);
    EXPECT_TRUE(irq());
    read(0x0c);
    board.advance(60s);
    EXPECT_TRUE(irq()) << "each minute";
    write(1, 0xc0);
    read(0x0c);
    board.advance(1s);
    EXPECT_TRUE(irq()) << "each second";
    write(5, 0x24);
    read(0x0c);
    board.advance(48h);
    EXPECT_FALSE(irq()) << "there is no hour 24";
    EXPECT_EQ(read(0x0c) & 0x20, 0);
}

TEST_F(RealTimeClockTest, AnAlarmHasThePmBitInTwelveHourMode)
{
    write(0x0b, 0);
    write(1, 0);
    write(3, 0);
    write(5, 0x81);
    write(0x0b, aie);
    board.advance(2s + 13h - 1ms);
    EXPECT_FALSE(irq());
    board.advance(1ms);
    EXPECT_TRUE(irq());
}

TEST_F(RealTimeClockTest, SeesAnAlarmThatPassedWhileNobodyLooked)
{
    write(1, 0);
    write(3, 0);
    write(5, 0);
    board.advance(1h);
    EXPECT_EQ(read(0x0c) & 0x20, 0x20);
    board.advance(1h);
    EXPECT_EQ(read(0x0c) & 0x20, 0);
}

TEST_F(RealTimeClockTest, HoldsMemoryAndTheNmiMask)
{
    clock.setByte(0x15, 0x80);
    clock.setByte(0x16, 0x02);
    EXPECT_EQ(read(0x15), 0x80);
    EXPECT_EQ(read(0x16), 0x02);
    write(0x7f, 0x5a);
    EXPECT_FALSE(clock.nmiMasked());
    board.out(0x70, 0xff);
    EXPECT_TRUE(clock.nmiMasked());
    EXPECT_EQ(board.in(0x71), 0x5a);
    write(0x0c, 0xff);
    write(0x0d, 0x00);
    EXPECT_EQ(read(0x0d), 0x80);
}

TEST_F(RealTimeClockTest, ResetLeavesWhatTheBatteryKeeps)
{
    write(0x0b, hours24 | uie | pie | aie);
    write(0x40, 0x77);
    board.out(0x70, 0x80);
    board.advance(2s);
    EXPECT_TRUE(irq());
    clock.reset();
    EXPECT_FALSE(irq());
    EXPECT_FALSE(clock.nmiMasked());
    EXPECT_EQ(read(0x0b), hours24);
    EXPECT_EQ(read(0x0c), 0);
    EXPECT_EQ(read(0x40), 0x77);
    EXPECT_EQ(read(7), 0x29);
}

TEST_F(RealTimeClockTest, ComesBackFromASnapshotOnABoardWithAnotherTime)
{
    board.advance(300ms);
    write(0x0a, 0x20);
    read(0x0c);
    write(0x0b, hours24 | uie);
    write(0x50, 0x42);
    const Snapshot before = board.save(clock);

    BareBoard elsewhere;
    RealTimeClock other(elsewhere.ports(), elsewhere.timers(), IrqLine(elsewhere.interrupts(), 8), sys_seconds {});
    ASSERT_TRUE(elsewhere.restore(other, before));
    elsewhere.advance(699ms);
    EXPECT_FALSE(elsewhere.interrupts().level(8));
    elsewhere.advance(1ms);
    EXPECT_TRUE(elsewhere.interrupts().level(8));
    EXPECT_EQ(elsewhere.in(0x71), 0x42) << "the index register is part of the state";
    elsewhere.out(0x70, 0);
    EXPECT_EQ(elsewhere.in(0x71), 0x59);

    const Snapshot asking = elsewhere.save(other);
    ASSERT_TRUE(board.restore(clock, asking));
    EXPECT_TRUE(irq());
    EXPECT_EQ(read(0x0c), 0x90);
}

TEST_F(RealTimeClockTest, RefusesDamagedSnapshotsAndKeepsItsState)
{
    const Snapshot snapshot = board.save(clock);
    for (size_t length = 0; length < snapshot.size(); ++length)
        EXPECT_FALSE(board.restore(clock, Snapshot(snapshot.begin(), snapshot.begin() + static_cast<long>(length))));
    // Index, flags, and the highest bytes of date, chain and last look; a stored UIP bit.
    for (const auto& [offset, value] : std::vector<std::pair<size_t, uint8_t>> { { 128, 0x80 }, { 130, 0x80 },
             { 138, 0x7f }, { 138, 0x80 }, { 146, 0x80 }, { 146, 0x7f }, { 154, 0x01 }, { 10, 0xa6 } }) {
        Snapshot damaged = snapshot;
        damaged[offset] = value;
        EXPECT_FALSE(board.restore(clock, damaged)) << offset;
    }
    EXPECT_EQ(board.save(clock), snapshot);
}

TEST_F(RealTimeClockTest, SurvivesAnyPortWrites)
{
    uint32_t random = 1;
    for (int i = 0; i < 20'000; ++i) {
        random = random * 1'664'525 + 1'013'904'223;
        write(static_cast<uint8_t>(random >> 24 & 15), static_cast<uint8_t>(random >> 16));
        read(static_cast<uint8_t>(random >> 12 & 15));
        board.starve(GuestTime(random));
        board.timers().runDue();
    }
    write(0x0a, 0x26);
    write(0x0b, hours24);
    const uint8_t before = read(0);
    board.advance(1s);
    EXPECT_NE(read(0), before);
}

} // namespace namsan
