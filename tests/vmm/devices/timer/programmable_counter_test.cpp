// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/programmable_counter.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace namsan {

// Draws a counter as the data sheet does ("Mode Definitions"): per pulse, the count and, while the output is low, an
// underscore.
class ProgrammableCounterTest : public ::testing::Test {
protected:
    using Tick = ProgrammableCounter::Tick;
    ProgrammableCounter counter;
    Tick now = 1000;

    void program(unsigned mode, unsigned access = 1, bool bcd = false)
    {
        counter.program(static_cast<uint8_t>(access << 4 | mode << 1 | (bcd ? 1 : 0)));
    }
    void write(unsigned value) { counter.write(static_cast<uint8_t>(value), now); }
    uint16_t count()
    {
        ProgrammableCounter copy = counter; // as latching and reading would change it
        copy.program(0x30);
        copy = counter;
        copy.latchCount(now);
        const uint8_t first = copy.read(now);
        return static_cast<uint16_t>(first | copy.read(now) << 8);
    }
    std::string pulses(int number)
    {
        std::string drawing;
        for (int i = 0; i < number; ++i) {
            ++now;
            drawing += fmt::format("{}{:X}{}", drawing.empty() ? "" : " ", count(), counter.output(now) ? "" : "_");
        }
        return drawing;
    }
    uint8_t status()
    {
        counter.latchStatus(now);
        return counter.read(now);
    }
};

TEST_F(ProgrammableCounterTest, Mode0InterruptsOnTerminalCount)
{
    program(0, 3);
    EXPECT_FALSE(counter.output(now));
    write(4);
    write(0);
    EXPECT_FALSE(counter.output(now));
    EXPECT_EQ(pulses(7), "4_ 3_ 2_ 1_ 0 FFFF FFFE");
    EXPECT_EQ(counter.risesUntil(now), 1u);
    EXPECT_EQ(counter.tickOfRise(1), 1005);
    EXPECT_FALSE(counter.tickOfRise(2));
}

TEST_F(ProgrammableCounterTest, Mode0WaitsWhileTheGateIsLow)
{
    program(0, 3);
    write(3);
    write(0);
    EXPECT_EQ(pulses(2), "3_ 2_");
    counter.setGate(false, now);
    EXPECT_EQ(pulses(3), "2_ 2_ 2_");
    EXPECT_FALSE(counter.tickOfRise(1));
    counter.setGate(true, now);
    EXPECT_EQ(pulses(3), "1_ 0 FFFF");
}

TEST_F(ProgrammableCounterTest, Mode0StopsAtTheFirstByteOfANewCount)
{
    program(0, 3);
    write(2);
    write(0);
    EXPECT_EQ(pulses(3), "2_ 1_ 0");
    write(3);
    EXPECT_FALSE(counter.output(now));
    ++now;
    EXPECT_FALSE(counter.output(now));
    EXPECT_FALSE(counter.tickOfRise(1));
    write(0);
    EXPECT_EQ(pulses(4), "3_ 2_ 1_ 0");
}

TEST_F(ProgrammableCounterTest, Mode0LoadsACountWhileTheGateIsLow)
{
    counter.setGate(false, now);
    program(0, 3);
    write(2);
    write(0);
    EXPECT_EQ(pulses(2), "2_ 2_");
    counter.setGate(true, now);
    EXPECT_EQ(pulses(2), "1_ 0");
}

TEST_F(ProgrammableCounterTest, Mode1IsAOneShotThatCanBeRetriggered)
{
    counter.setGate(false, now);
    program(1, 3);
    EXPECT_TRUE(counter.output(now));
    write(3);
    write(0);
    now += 5;
    EXPECT_TRUE(counter.output(now));
    counter.setGate(true, now);
    EXPECT_EQ(pulses(5), "3_ 2_ 1_ 0 FFFF");
    counter.setGate(false, now);
    counter.setGate(true, now);
    EXPECT_EQ(pulses(2), "3_ 2_");
    write(2); // does not disturb the shot under way
    write(0);
    EXPECT_EQ(pulses(2), "1_ 0");
    counter.setGate(false, now);
    counter.setGate(true, now);
    EXPECT_EQ(pulses(3), "2_ 1_ 0");
}

TEST_F(ProgrammableCounterTest, Mode2DividesByN)
{
    program(2, 3);
    EXPECT_TRUE(counter.output(now));
    write(3);
    write(0);
    EXPECT_EQ(pulses(8), "3 2 1_ 3 2 1_ 3 2");
    EXPECT_EQ(counter.risesUntil(now), 2u);
    EXPECT_EQ(counter.tickOfRise(3), 1010);
    EXPECT_EQ(counter.period(), 3);
}

TEST_F(ProgrammableCounterTest, Mode2BeginsAnewWithTheGate)
{
    program(2, 3);
    write(3);
    write(0);
    EXPECT_EQ(pulses(3), "3 2 1_");
    counter.setGate(false, now);
    EXPECT_TRUE(counter.output(now)) << "a low gate sets the output high at once";
    EXPECT_EQ(pulses(2), "1 1");
    EXPECT_FALSE(counter.period());
    counter.setGate(true, now);
    EXPECT_EQ(pulses(4), "3 2 1_ 3");
}

TEST_F(ProgrammableCounterTest, Mode2TakesANewCountAtTheEndOfTheCycle)
{
    program(2, 3);
    write(4);
    write(0);
    EXPECT_EQ(pulses(2), "4 3");
    write(5);
    EXPECT_EQ(counter.tickOfRise(1), 1005) << "one byte of two changes nothing";
    write(0);
    EXPECT_EQ(pulses(5), "2 1_ 5 4 3");
    EXPECT_EQ(counter.risesUntil(now), 1u);
    EXPECT_EQ(counter.tickOfRise(2), 1010);
}

TEST_F(ProgrammableCounterTest, Mode3IsASquareWaveForEvenCounts)
{
    program(3, 3);
    write(4);
    write(0);
    EXPECT_EQ(pulses(9), "4 2 4_ 2_ 4 2 4_ 2_ 4");
    EXPECT_EQ(counter.risesUntil(now), 2u);
}

TEST_F(ProgrammableCounterTest, Mode3IsHighOnePulseLongerForOddCounts)
{
    program(3, 3);
    write(5);
    write(0);
    EXPECT_EQ(pulses(11), "4 2 0 4_ 2_ 4 2 0 4_ 2_ 4");
}

TEST_F(ProgrammableCounterTest, Mode3TakesANewCountAtTheEndOfTheHalfCycle)
{
    program(3, 3);
    write(8);
    write(0);
    EXPECT_EQ(pulses(2), "8 6");
    write(4);
    write(0);
    EXPECT_EQ(pulses(8), "4 2 4_ 2_ 4 2 4_ 2_");
    EXPECT_EQ(pulses(1), "4");
    EXPECT_EQ(counter.risesUntil(now), 2u);

    program(3, 3);
    write(4);
    write(0);
    EXPECT_EQ(pulses(3), "4 2 4_");
    write(6);
    write(0);
    EXPECT_EQ(pulses(7), "2_ 6 4 2 6_ 4_ 2_");
}

TEST_F(ProgrammableCounterTest, Mode4StrobesOnce)
{
    program(4, 3);
    EXPECT_TRUE(counter.output(now));
    write(3);
    write(0);
    EXPECT_EQ(pulses(6), "3 2 1 0_ FFFF FFFE");
    EXPECT_EQ(counter.tickOfRise(1), 1005);
    EXPECT_EQ(counter.risesUntil(now), 1u);
    write(2);
    write(0);
    EXPECT_EQ(counter.risesUntil(now), 0u) << "a written count starts it again";
    EXPECT_EQ(pulses(4), "2 1 0_ FFFF");
}

TEST_F(ProgrammableCounterTest, Mode5StrobesAfterATrigger)
{
    counter.setGate(false, now);
    program(5, 3);
    write(3);
    write(0);
    now += 10;
    EXPECT_TRUE(counter.output(now));
    counter.setGate(true, now);
    EXPECT_EQ(pulses(5), "3 2 1 0_ FFFF");
    counter.setGate(false, now);
    EXPECT_EQ(pulses(1), "FFFE") << "a low gate has no effect";
}

TEST_F(ProgrammableCounterTest, Modes6And7AreModes2And3)
{
    program(6);
    EXPECT_EQ(counter.mode(), 2u);
    program(7);
    EXPECT_EQ(counter.mode(), 3u);
}

TEST_F(ProgrammableCounterTest, ZeroIsTheLargestCount)
{
    program(2, 3);
    write(0);
    write(0);
    EXPECT_EQ(pulses(2), "0 FFFF");
    EXPECT_EQ(counter.period(), 0x10000);
    program(2, 3, true);
    write(0);
    write(0);
    EXPECT_EQ(pulses(2), "0 9999");
    EXPECT_EQ(counter.period(), 10000);
}

TEST_F(ProgrammableCounterTest, CountsInDecimals)
{
    program(0, 3, true);
    write(0x01);
    write(0x10);
    EXPECT_EQ(pulses(3), "1001_ 1000_ 999_");
    now += 998;
    EXPECT_EQ(pulses(3), "0 9999 9998");
    program(2, 3, true);
    write(0xff);
    write(0xff);
    EXPECT_EQ(counter.period(), 6665) << "digits that are none still make a count within four decades";
}

TEST_F(ProgrammableCounterTest, RestsAtACountOfOneInThePeriodicModes)
{
    for (const unsigned mode : { 2u, 3u }) {
        program(mode);
        write(1);
        EXPECT_EQ(pulses(3), "101 101 101") << "one access, so the low byte is read twice";
        EXPECT_EQ(counter.risesUntil(now + 1000000), 0u);
        EXPECT_FALSE(counter.tickOfRise(1));
        EXPECT_FALSE(counter.period());
        write(4);
        EXPECT_EQ(counter.period(), 4);
    }
}

TEST_F(ProgrammableCounterTest, ReadsAndWritesTheByteThatTheControlWordNames)
{
    program(2, 2);
    write(0x12);
    ++now;
    EXPECT_EQ(counter.period(), 0x1200);
    EXPECT_EQ(counter.read(now), 0x12);
    EXPECT_EQ(counter.read(now), 0x12);
    program(2, 1);
    write(0x34);
    ++now;
    EXPECT_EQ(counter.period(), 0x34);
    EXPECT_EQ(counter.read(now), 0x34);
}

TEST_F(ProgrammableCounterTest, HoldsALatchedCountUntilItWasRead)
{
    program(2, 3);
    write(0x00);
    write(0x20);
    now += 1;
    counter.latchCount(now);
    now += 0x300;
    counter.latchCount(now); // ignored
    EXPECT_EQ(counter.read(now), 0x00);
    now += 0x300;
    EXPECT_EQ(counter.read(now), 0x20);
    EXPECT_EQ(counter.read(now), 0x00);
    EXPECT_EQ(counter.read(now), 0x1a) << "the count of now again";
}

TEST_F(ProgrammableCounterTest, TellsItsStatusOnceAndBeforeALatchedCount)
{
    program(3, 3);
    EXPECT_EQ(status(), 0b11110110) << "output high, null count, both bytes, mode 3";
    write(4);
    write(0);
    EXPECT_EQ(status(), 0b11110110) << "not loaded before the next pulse";
    ++now;
    EXPECT_EQ(status(), 0b10110110);
    now += 2;
    counter.latchCount(now);
    counter.latchStatus(now);
    ++now;
    EXPECT_EQ(counter.read(now), 0b00110110);
    EXPECT_EQ(counter.read(now), 4);
    EXPECT_EQ(counter.read(now), 0);
    write(6);
    write(0);
    EXPECT_EQ(status() & 0x40, 0x40) << "a count that waits for the end of the half-cycle";
    now += 1;
    EXPECT_EQ(status() & 0x40, 0);
}

TEST_F(ProgrammableCounterTest, AgreesWithItselfHoweverSeldomItIsLookedAt)
{
    for (const unsigned mode : { 2u, 3u }) {
        ProgrammableCounter often, seldom;
        for (ProgrammableCounter* each : { &often, &seldom }) {
            each->program(static_cast<uint8_t>(0x10 | mode << 1));
            each->write(7, 0);
        }
        uint64_t rises = 0;
        bool level = often.output(1);
        for (Tick tick = 1; tick < 200; ++tick) {
            if (tick == 33 || tick == 90) {
                often.write(static_cast<uint8_t>(tick / 5), tick);
                seldom.write(static_cast<uint8_t>(tick / 5), tick);
            }
            rises += often.output(tick) && !level;
            level = often.output(tick);
            ASSERT_EQ(often.risesUntil(tick), rises) << "mode " << mode << " at " << tick;
        }
        EXPECT_EQ(seldom.risesUntil(199), rises);
        EXPECT_EQ(seldom.output(199), level);
    }
}

TEST_F(ProgrammableCounterTest, GoesOnAfterARestoreAtAnotherTime)
{
    program(3, 3);
    write(8);
    write(0);
    now += 6;
    write(4);
    write(0);
    Snapshot snapshot;
    StateWriter writer(snapshot);
    counter.save(writer, now);

    ProgrammableCounter other;
    StateReader reader(snapshot);
    ASSERT_TRUE(other.restore(reader, 50, "counter"));
    for (Tick later = 0; later < 40; ++later) {
        EXPECT_EQ(other.output(50 + later), counter.output(now + later)) << later;
        EXPECT_EQ(other.risesUntil(50 + later), counter.risesUntil(now + later)) << later;
    }
}

} // namespace namsan
