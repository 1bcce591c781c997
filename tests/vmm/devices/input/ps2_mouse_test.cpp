// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/input/ps2_mouse.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

using Bytes = std::vector<uint8_t>;

class Ps2MouseTest : public ::testing::Test {
protected:
    BareBoard board;
    Ps2Mouse mouse { board.timers() };

    Bytes takeAll()
    {
        Bytes bytes;
        while (mouse.hasByte())
            bytes.push_back(mouse.takeByte());
        return bytes;
    }
    Bytes send(std::initializer_list<uint8_t> bytes)
    {
        Bytes answers;
        for (const uint8_t byte : bytes) {
            mouse.command(byte);
            const Bytes answer = takeAll();
            answers.insert(answers.end(), answer.begin(), answer.end());
        }
        return answers;
    }
    // All packets of the next second.
    std::vector<Bytes> packets()
    {
        std::vector<Bytes> all;
        for (int i = 0; i < 1000; ++i) {
            board.advance(std::chrono::milliseconds(1));
            if (const Bytes packet = takeAll(); !packet.empty())
                all.push_back(packet);
        }
        return all;
    }
    void knockForWheel() { send({ 0xf3, 200, 0xf3, 100, 0xf3, 80 }); }
};

TEST_F(Ps2MouseTest, AnswersItsCommands)
{
    EXPECT_EQ(send({ 0xff }), (Bytes { 0xfa, 0xaa, 0x00 }));
    EXPECT_EQ(send({ 0xf2 }), (Bytes { 0xfa, 0x00 }));
    EXPECT_EQ(send({ 0xe9 }), (Bytes { 0xfa, 0x00, 0x02, 100 }));
    EXPECT_EQ(send({ 0xe8, 0x03, 0xf3, 40, 0xe7, 0xf4 }), Bytes(6, 0xfa));
    EXPECT_EQ(send({ 0xe9 }), (Bytes { 0xfa, 0x30, 0x03, 40 }));
    EXPECT_EQ(send({ 0xf0 }), Bytes { 0xfa });
    mouse.button({ PointerButton::Left, true });
    mouse.button({ PointerButton::Right, true });
    EXPECT_EQ(send({ 0xe9 }), (Bytes { 0xfa, 0x75, 0x03, 40 }));
    EXPECT_EQ(send({ 0xf6, 0xe9 }), (Bytes { 0xfa, 0xfa, 0x05, 0x02, 100 }));
    EXPECT_EQ(send({ 0xe5 }), Bytes { 0xfe });
    EXPECT_EQ(send({ 0xf3, 77 }), (Bytes { 0xfa, 0xfe })) << "no such sample rate";
    EXPECT_EQ(send({ 0xe8, 4 }), (Bytes { 0xfa, 0xfe }));
}

TEST_F(Ps2MouseTest, SendsAgainWhatItSentLast)
{
    const Bytes status = send({ 0xe9 });
    EXPECT_EQ(send({ 0xfe }), status);
}

TEST_F(Ps2MouseTest, ReportsMovementsOnceEnabled)
{
    mouse.move({ 5, 5 });
    EXPECT_TRUE(packets().empty());
    send({ 0xf4 });
    mouse.move({ 5, 3 });
    EXPECT_EQ(packets(), (std::vector<Bytes> { { 0x28, 0x05, 0xfd } })) << "down is negative";
    mouse.move({ -2, -4 });
    EXPECT_EQ(packets(), (std::vector<Bytes> { { 0x18, 0xfe, 0x04 } }));
    EXPECT_FALSE(board.timers().nextDeadline());
}

TEST_F(Ps2MouseTest, AddsUpWhatMovesFasterThanItSamples)
{
    send({ 0xf4 });
    int x = 0;
    for (int i = 0; i < 200; ++i)
        mouse.move({ 3, 0 });
    const auto all = packets();
    for (const Bytes& packet : all)
        x += packet[1] - (packet[0] & 0x10 ? 256 : 0);
    EXPECT_EQ(x, 600);
    EXPECT_EQ(all.size(), 3u);
}

TEST_F(Ps2MouseTest, KeepsNoMoreThanItsBacklog)
{
    send({ 0xf4 });
    for (int i = 0; i < 100; ++i)
        mouse.move({ 2'000'000'000, -2'147'483'647 - 1 });
    int x = 0;
    for (const Bytes& packet : packets())
        x += packet[1];
    EXPECT_EQ(x, Ps2Mouse::largestBacklog);
}

TEST_F(Ps2MouseTest, SendsAtItsSampleRate)
{
    send({ 0xf3, 20, 0xf4 });
    int count = 0; // at 0, 50, ... 950 ms
    for (int i = 0; i < 999; ++i) {
        mouse.move({ 1, 0 });
        board.advance(std::chrono::milliseconds(1));
        count += !takeAll().empty();
    }
    EXPECT_EQ(count, 20);
}

TEST_F(Ps2MouseTest, KeepsClicksInOrderWithMovements)
{
    send({ 0xf4 });
    mouse.move({ 300, 0 });
    mouse.button({ PointerButton::Left, true });
    mouse.move({ 10, 0 });
    mouse.button({ PointerButton::Left, false });
    mouse.move({ 20, 0 });
    EXPECT_EQ(packets(),
        (std::vector<Bytes> {
            { 0x08, 255, 0 }, // on the way, the button still up
            { 0x09, 45, 0 },
            { 0x08, 10, 0 },
            { 0x08, 20, 0 },
        }));
}

TEST_F(Ps2MouseTest, NeverLosesTheLastStateOfItsButtons)
{
    send({ 0xf4 });
    for (int i = 0; i < 101; ++i)
        mouse.button({ PointerButton::Middle, i % 2 == 0 });
    const auto all = packets();
    ASSERT_FALSE(all.empty());
    EXPECT_LE(all.size(), Ps2Mouse::largestSampleCount);
    EXPECT_EQ(all.back()[0], 0x0c);
}

TEST_F(Ps2MouseTest, HasAWheelForThoseWhoKnock)
{
    send({ 0xf4 });
    mouse.wheel({ 1 });
    EXPECT_TRUE(packets().empty());
    knockForWheel();
    EXPECT_EQ(send({ 0xf2 }), (Bytes { 0xfa, 0x03 }));
    send({ 0xf4 });
    mouse.wheel({ 1 });
    EXPECT_EQ(packets(), (std::vector<Bytes> { { 0x08, 0, 0, 0xff } }));
    mouse.wheel({ -10 });
    EXPECT_EQ(packets(), (std::vector<Bytes> { { 0x08, 0, 0, 7 }, { 0x08, 0, 0, 3 } }));
    EXPECT_EQ(send({ 0xff, 0xf2 }), (Bytes { 0xfa, 0xaa, 0x00, 0xfa, 0x00 })) << "a reset forgets it";
}

TEST_F(Ps2MouseTest, IsReadInRemoteMode)
{
    send({ 0xf0 });
    mouse.move({ 7, 0 });
    EXPECT_TRUE(packets().empty());
    EXPECT_EQ(send({ 0xeb }), (Bytes { 0xfa, 0x08, 7, 0 }));
    EXPECT_EQ(send({ 0xeb }), (Bytes { 0xfa, 0x08, 0, 0 }));
}

TEST_F(Ps2MouseTest, EchoesInWrapMode)
{
    EXPECT_EQ(send({ 0xee, 0xf4, 0x12, 0xec, 0xf2 }), (Bytes { 0xfa, 0xf4, 0x12, 0xfa, 0xfa, 0x00 }));
}

TEST_F(Ps2MouseTest, ScalesTwoToOne)
{
    send({ 0xe7, 0xf4 });
    mouse.move({ 3, 5 });
    EXPECT_EQ(packets(), (std::vector<Bytes> { { 0x28, 3, static_cast<uint8_t>(-9) } }));
    mouse.move({ 100, 2 });
    EXPECT_EQ(packets(), (std::vector<Bytes> { { 0x28, 200, 0xff } }));
}

TEST_F(Ps2MouseTest, SendsNoPacketBetweenACommandAndItsParameter)
{
    send({ 0xf4 });
    mouse.move({ 1, 0 });
    mouse.command(0xf3);
    takeAll();
    EXPECT_TRUE(packets().empty());
    mouse.command(100);
    EXPECT_EQ(takeAll(), Bytes { 0xfa });
    EXPECT_EQ(packets().size(), 1u);
}

TEST_F(Ps2MouseTest, ComesBackFromASnapshot)
{
    knockForWheel();
    send({ 0xf4 });
    mouse.move({ 9, 0 });
    const Snapshot snapshot = board.save(mouse);
    mouse.reset();
    EXPECT_TRUE(packets().empty());
    ASSERT_TRUE(board.restore(mouse, snapshot));
    EXPECT_EQ(packets(), (std::vector<Bytes> { { 0x08, 9, 0, 0 } }));
}

TEST_F(Ps2MouseTest, RefusesDamagedSnapshotsAndKeepsItsState)
{
    send({ 0xf4 });
    const Snapshot snapshot = board.save(mouse);
    EXPECT_FALSE(board.restore(mouse, Snapshot(snapshot.begin(), snapshot.end() - 1)));
    const size_t afterSamples = 16 * Ps2Mouse::largestSampleCount;
    for (const size_t impossible : { afterSamples, afterSamples + 1, afterSamples + 8 }) { // count, buttons, rate
        Snapshot damaged = snapshot;
        damaged[impossible] = 99;
        EXPECT_FALSE(board.restore(mouse, damaged)) << impossible;
    }
    mouse.move({ 1, 0 });
    EXPECT_EQ(packets().size(), 1u);
}

} // namespace namsan
