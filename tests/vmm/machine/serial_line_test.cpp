// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/serial_line.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

#include <string>

namespace namsan {

class SerialLineTest : public ::testing::Test {
protected:
    static constexpr Port base = 0x3f8, thr = base, lsr = base + 5;
    static constexpr uint8_t transmitterHoldingEmpty = 0x20;

    BareBoard board;
    IrqLine wire { board.interrupts(), 4 };
    Channel<SerialOutput> output;
    Uart16550 uart { board.ports(), base, wire, board.timers(), output };
    int announced = 0;
    SerialLine line { board.timers(), [this] { ++announced; } };

    SerialLineTest()
    {
        output.listen([this](const SerialOutput& out) { line.guestSent(uart, out.byte); });
        uart.roomAvailable().listen([this](const SerialRoomAvailable&) { line.feed(uart); });
    }

    void send(std::string_view text)
    {
        for (const char c : text)
            board.out(thr, static_cast<uint8_t>(c));
    }
    bool busy() { return !(board.in(lsr)&transmitterHoldingEmpty); }
    std::string take()
    {
        const auto bytes = line.takeOutput(uart);
        return { bytes.begin(), bytes.end() };
    }
};

TEST_F(SerialLineTest, HandsOverALineAtOnceAndAPromptSoon)
{
    send("Linux\n");
    EXPECT_EQ(announced, 1);
    EXPECT_EQ(take(), "Linux\n");
    send("/ # ");
    EXPECT_EQ(announced, 1);
    board.advance(SerialLine::longestWait);
    EXPECT_EQ(announced, 2);
    EXPECT_EQ(take(), "/ # ");
}

TEST_F(SerialLineTest, TellsOnceOfWhatNobodyTakes)
{
    for (int i = 0; i < 1000; ++i)
        send("a line\n");
    board.advance(std::chrono::seconds(1));
    EXPECT_EQ(announced, 1);
}

TEST_F(SerialLineTest, AGuestThatLooksBeforeItSendsLosesNothing)
{
    std::string sent, taken;
    unsigned counter = 0;
    for (int round = 0; round < 5; ++round) {
        while (!busy()) {
            for (size_t i = 0; i < Uart16550::fifoSize; ++i) { // as drivers do once THR is empty
                sent.push_back(static_cast<char>('a' + counter++ % 26));
                board.out(thr, static_cast<uint8_t>(sent.back()));
            }
        }
        taken += take();
        EXPECT_FALSE(busy());
    }
    EXPECT_EQ(taken, sent);
    EXPECT_GE(sent.size(), 5 * SerialLine::outputCapacity);
}

TEST_F(SerialLineTest, AGuestThatDoesNotLookFillsNoMemory)
{
    for (size_t i = 0; i < 4 * SerialLine::outputCapacity; ++i)
        board.out(thr, 'x');
    EXPECT_TRUE(busy());
    EXPECT_EQ(take().size(), SerialLine::outputCapacity + SerialLine::outputSlack);
    EXPECT_FALSE(busy());
}

TEST_F(SerialLineTest, BoundsWhatWaitsForTheGuest)
{
    const std::vector<uint8_t> piece(1 << 18, 'y');
    for (int i = 0; i < 8; ++i)
        line.sendToGuest(uart, piece);
    size_t received = 0;
    while (board.in(lsr)&1) {
        board.in(base);
        ++received;
    }
    // What lies in the receiver does not wait any more.
    EXPECT_GE(received, SerialLine::inputCapacity);
    EXPECT_LE(received, SerialLine::inputCapacity + Uart16550::fifoSize);
}

} // namespace namsan
