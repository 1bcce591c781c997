// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/serial/uart_16550.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

#include <string>

namespace namsan {

class Uart16550Test : public ::testing::Test {
protected:
    static constexpr Port base = 0x3f8;
    static constexpr Port rbr = base, thr = base, ier = base + 1, iir = base + 2, fcr = base + 2, lcr = base + 3,
                          mcr = base + 4, lsr = base + 5, msr = base + 6, scr = base + 7;
    static constexpr unsigned irq = 4;
    static constexpr uint8_t out2 = 0x08, loop = 0x10;

    BareBoard board;
    IrqLine line { board.interrupts(), irq };
    Channel<SerialOutput> output;
    Uart16550 uart { board.ports(), base, line, board.timers(), output };
    std::string sent;
    int roomSignals = 0;

    Uart16550Test()
    {
        output.listen([this](const SerialOutput& out) { sent.push_back(static_cast<char>(out.byte)); });
        uart.roomAvailable().listen([this](const SerialRoomAvailable&) { ++roomSignals; });
    }

    size_t receive(std::string_view text)
    {
        return uart.receive({ reinterpret_cast<const uint8_t*>(text.data()), text.size() });
    }
    bool interrupt() { return board.interrupts().level(irq); }
    void enable(uint8_t interrupts)
    {
        board.out(mcr, out2);
        board.out(ier, interrupts);
    }
};

TEST_F(Uart16550Test, StartsAsAfterMasterReset)
{
    EXPECT_EQ(board.in(ier), 0x00);
    EXPECT_EQ(board.in(iir), 0x01);
    EXPECT_EQ(board.in(lcr), 0x00);
    EXPECT_EQ(board.in(mcr), 0x00);
    EXPECT_EQ(board.in(lsr), 0x60);
    EXPECT_EQ(board.in(msr), 0xb0);
}

TEST_F(Uart16550Test, ShowsABusyTransmitterWhileItIsHeld)
{
    enable(0x02);
    EXPECT_EQ(board.in(iir), 0x02);
    uart.holdTransmitter(true);
    EXPECT_EQ(board.in(lsr), 0x00);
    board.out(thr, 'a');
    EXPECT_EQ(sent, "a") << "the line decides what it does with a byte that comes all the same";
    EXPECT_FALSE(interrupt());
    board.out(ier, 0x00);
    board.out(ier, 0x02);
    EXPECT_FALSE(interrupt()) << "THR is not empty";

    uart.holdTransmitter(false);
    EXPECT_EQ(board.in(lsr), 0x60);
    EXPECT_TRUE(interrupt());
    EXPECT_EQ(board.in(iir), 0x02);
    EXPECT_FALSE(interrupt());
}

TEST_F(Uart16550Test, AnUnheldLineTellsNothingNew)
{
    enable(0x02);
    EXPECT_EQ(board.in(iir), 0x02);
    uart.holdTransmitter(false);
    EXPECT_FALSE(interrupt());
}

TEST_F(Uart16550Test, GoesOnAfterASnapshotThatWasTakenWhileItWasHeld)
{
    enable(0x02);
    EXPECT_EQ(board.in(iir), 0x02);
    uart.holdTransmitter(true);
    const Snapshot snapshot = board.save(uart);
    uart.holdTransmitter(false);
    EXPECT_EQ(board.in(iir), 0x02);
    ASSERT_FALSE(interrupt());
    ASSERT_TRUE(board.restore(uart, snapshot));
    EXPECT_TRUE(interrupt()) << "else the guest would wait for ever";
}

TEST_F(Uart16550Test, SendsWhatIsWrittenAtOnceAndInOrder)
{
    for (const char c : std::string_view("Namsan"))
        board.out(thr, static_cast<uint8_t>(c));
    EXPECT_EQ(sent, "Namsan");
    EXPECT_EQ(board.in(lsr), 0x60);
}

TEST_F(Uart16550Test, KeepsTheDivisorBehindItsLatch)
{
    board.out(lcr, 0x80);
    board.out(base, 0x34);
    board.out(base + 1, 0x12);
    EXPECT_EQ(board.in(base), 0x34);
    EXPECT_EQ(board.in(base + 1), 0x12);
    board.out(lcr, 0x03);
    EXPECT_EQ(board.in(ier), 0x00);
    EXPECT_TRUE(sent.empty());
}

TEST_F(Uart16550Test, HasAScratchRegisterAndHardwiredZeroes)
{
    board.out(scr, 0xa5);
    board.out(ier, 0xff);
    board.out(mcr, 0xff);
    EXPECT_EQ(board.in(scr), 0xa5);
    EXPECT_EQ(board.in(ier), 0x0f);
    EXPECT_EQ(board.in(mcr), 0x1f);
}

TEST_F(Uart16550Test, TellsThatItsFifosAreOnAsA16550ADoes)
{
    board.out(fcr, 0x01);
    EXPECT_EQ(board.in(iir)&0xc0, 0xc0);
    board.out(fcr, 0x00);
    EXPECT_EQ(board.in(iir)&0xc0, 0x00);
}

TEST_F(Uart16550Test, RaisesTheTransmitterInterruptWheneverItIsEnabled)
{
    enable(0x02);
    EXPECT_TRUE(interrupt());
    EXPECT_EQ(board.in(iir), 0x02);
    EXPECT_EQ(board.in(iir), 0x01) << "reading IIR resets it";
    EXPECT_FALSE(interrupt());

    board.out(ier, 0x02);
    EXPECT_FALSE(interrupt()) << "it was enabled already";
    board.out(ier, 0x00);
    board.out(ier, 0x02);
    EXPECT_TRUE(interrupt());
    EXPECT_EQ(board.in(iir), 0x02);
}

TEST_F(Uart16550Test, MakesANewEdgeForEachByteSent)
{
    enable(0x02);
    const int before = board.interrupts().rises(irq);
    board.out(thr, 'a');
    board.out(thr, 'b');
    EXPECT_EQ(board.interrupts().rises(irq), before + 2);
    EXPECT_EQ(board.in(iir), 0x02);
}

TEST_F(Uart16550Test, ReceivesOneCharacterWithoutFifos)
{
    enable(0x01);
    EXPECT_EQ(receive("xy"), 1u);
    EXPECT_TRUE(interrupt());
    EXPECT_EQ(board.in(iir), 0x04);
    EXPECT_EQ(board.in(lsr), 0x61);
    EXPECT_EQ(board.in(rbr), 'x');
    EXPECT_EQ(board.in(lsr), 0x60);
    EXPECT_FALSE(interrupt());
    EXPECT_EQ(roomSignals, 1);
    EXPECT_EQ(board.in(rbr), 'x') << "an empty receiver gives its last character again";
    EXPECT_EQ(roomSignals, 1);
}

TEST_F(Uart16550Test, TakesNoMoreThanItsFifoHolds)
{
    board.out(fcr, 0x01);
    roomSignals = 0;
    EXPECT_EQ(receive("0123456789abcdefghij"), 16u);
    EXPECT_EQ(receive("g"), 0u);
    std::string read;
    while (board.in(lsr)&1)
        read.push_back(static_cast<char>(board.in(rbr)));
    EXPECT_EQ(read, "0123456789abcdef");
    EXPECT_EQ(roomSignals, 1) << "once, when it was read empty";
    EXPECT_EQ(board.in(lsr), 0x60) << "nothing was overrun";
}

TEST_F(Uart16550Test, GoesOnFromAQueueWhileTheGuestReads)
{
    board.out(fcr, 0x01);
    const std::string text = "a text that is longer than the sixteen bytes of the FIFO";
    size_t taken = 0;
    uart.roomAvailable().listen(
        [&](const SerialRoomAvailable&) { taken += receive(std::string_view(text).substr(taken)); });
    taken = receive(text);
    std::string read;
    while (board.in(lsr)&1)
        read.push_back(static_cast<char>(board.in(rbr)));
    EXPECT_EQ(read, text);
}

TEST_F(Uart16550Test, InterruptsAtItsTriggerLevel)
{
    const std::array<unsigned, 4> levels { 1, 4, 8, 14 };
    for (unsigned i = 0; i < levels.size(); ++i) {
        board.out(fcr, static_cast<uint8_t>(0x03 | i << 6));
        enable(0x01);
        for (unsigned n = 1; n < levels[i]; ++n) {
            receive("x");
            EXPECT_FALSE(interrupt()) << "level " << levels[i] << " after " << n;
        }
        receive("x");
        EXPECT_EQ(board.in(iir), 0xc4);
        board.in(rbr);
        EXPECT_EQ(board.in(iir), 0xc1) << "below the level again";
    }
}

TEST_F(Uart16550Test, InterruptsAfterFourCharacterTimesBelowTheLevel)
{
    board.out(lcr, 0x83);
    board.out(base, 12); // 9,600 baud, 8N1: 10 bits take 1,041.666 us
    board.out(base + 1, 0);
    board.out(lcr, 0x03);
    board.out(fcr, 0xc1);
    enable(0x01);
    receive("ab");
    board.advance(std::chrono::microseconds(4166));
    EXPECT_FALSE(interrupt());
    board.advance(std::chrono::microseconds(1));
    EXPECT_TRUE(interrupt());
    EXPECT_EQ(board.in(iir), 0xcc);

    EXPECT_EQ(board.in(rbr), 'a');
    EXPECT_FALSE(interrupt()) << "reading restarts the time";
    board.advance(std::chrono::milliseconds(5));
    EXPECT_EQ(board.in(iir), 0xcc);
    EXPECT_EQ(board.in(rbr), 'b');
    board.advance(std::chrono::seconds(1));
    EXPECT_FALSE(interrupt());
}

TEST_F(Uart16550Test, ShowsInterruptsByPriority)
{
    board.out(fcr, 0x01);
    enable(0x0f);
    uart.receiveBreak();
    board.out(mcr, loop); // a change of the modem lines
    board.out(mcr, out2);
    EXPECT_EQ(board.in(iir), 0xc6);
    EXPECT_EQ(board.in(lsr)&0x10, 0x10) << "break";
    EXPECT_EQ(board.in(iir), 0xc4);
    EXPECT_EQ(board.in(rbr), 0x00);
    EXPECT_EQ(board.in(iir), 0xc2);
    EXPECT_EQ(board.in(iir), 0xc0);
    EXPECT_NE(board.in(msr)&0x0f, 0);
    EXPECT_EQ(board.in(iir), 0xc1);
    EXPECT_FALSE(interrupt());
}

TEST_F(Uart16550Test, ShowsAnErrorWhenItsCharacterIsTheNextToRead)
{
    board.out(fcr, 0x01);
    receive("a");
    uart.receiveBreak();
    EXPECT_EQ(board.in(lsr), 0xe1) << "an error in the FIFO, not yet on top";
    board.in(rbr);
    EXPECT_EQ(board.in(lsr)&0x10, 0x10);
    EXPECT_EQ(board.in(lsr)&0x10, 0x00) << "reading LSR resets it";
    board.in(rbr);
    EXPECT_EQ(board.in(lsr), 0x60);
}

TEST_F(Uart16550Test, LetsNoInterruptOutWithoutOut2)
{
    board.out(ier, 0x01);
    receive("x");
    EXPECT_FALSE(interrupt());
    EXPECT_EQ(board.in(iir), 0x04) << "pending all the same";
    board.out(mcr, out2);
    EXPECT_TRUE(interrupt());
    board.out(mcr, out2 | loop);
    EXPECT_FALSE(interrupt()) << "loop-back forces OUT2 inactive";
}

TEST_F(Uart16550Test, LoopsBytesAndModemLinesBack)
{
    board.out(fcr, 0x01);
    board.out(mcr, loop | 0x0a); // RTS and OUT2: what Linux probes with
    EXPECT_EQ(board.in(msr)&0xf0, 0x90);
    board.out(mcr, loop | 0x05);
    EXPECT_EQ(board.in(msr)&0xf0, 0x60);
    EXPECT_EQ(board.in(msr)&0x0f, 0x00) << "the deltas were read";
    board.out(mcr, loop | 0x01);
    EXPECT_EQ(board.in(msr)&0x0f, 0x04) << "the ring's trailing edge";

    board.out(thr, 'q');
    EXPECT_TRUE(sent.empty());
    EXPECT_EQ(board.in(rbr), 'q');
    EXPECT_EQ(receive("z"), 0u) << "the line is disconnected";
    roomSignals = 0;
    board.out(mcr, 0);
    EXPECT_EQ(roomSignals, 1);
}

TEST_F(Uart16550Test, OverrunsInALoopOnly)
{
    board.out(fcr, 0x01);
    board.out(mcr, loop);
    for (uint8_t i = 0; i < 17; ++i)
        board.out(thr, i);
    EXPECT_EQ(board.in(lsr)&0x02, 0x02);
    for (uint8_t i = 0; i < 16; ++i)
        EXPECT_EQ(board.in(rbr), i);

    board.out(fcr, 0x00);
    board.out(thr, 'a');
    board.out(thr, 'b');
    EXPECT_EQ(board.in(lsr)&0x02, 0x02);
    EXPECT_EQ(board.in(rbr), 'b') << "without FIFOs the newer one stays";
}

TEST_F(Uart16550Test, ClearsItsReceiverByFcr)
{
    board.out(fcr, 0x01);
    receive("abc");
    board.out(fcr, 0x03);
    EXPECT_EQ(board.in(lsr), 0x60);
    receive("abc");
    board.out(fcr, 0x00);
    EXPECT_EQ(board.in(lsr), 0x60) << "turning the FIFOs off or on clears them";
}

TEST_F(Uart16550Test, ComesBackFromASnapshot)
{
    board.out(fcr, 0xc1);
    enable(0x01);
    board.out(scr, 0x77);
    receive("abc");
    const Snapshot snapshot = board.save(uart);
    uart.reset();
    EXPECT_EQ(board.in(lsr), 0x60);
    EXPECT_EQ(board.in(mcr), 0x00);
    ASSERT_TRUE(board.restore(uart, snapshot));
    EXPECT_EQ(board.in(scr), 0x77);
    EXPECT_FALSE(interrupt());
    board.advance(std::chrono::milliseconds(1));
    EXPECT_TRUE(interrupt()) << "the time-out went on";
    EXPECT_EQ(board.in(rbr), 'a');
}

TEST_F(Uart16550Test, RefusesDamagedSnapshotsAndKeepsItsState)
{
    board.out(scr, 0x42);
    Snapshot snapshot = board.save(uart);
    EXPECT_FALSE(board.restore(uart, Snapshot(snapshot.begin(), snapshot.end() - 1)));
    snapshot[0] = 0xff; // IER has no such bits
    EXPECT_FALSE(board.restore(uart, snapshot));
    snapshot[0] = 0;
    snapshot[11] = 200; // characters in the FIFO
    EXPECT_FALSE(board.restore(uart, snapshot));
    EXPECT_EQ(board.in(scr), 0x42);
    EXPECT_EQ(board.in(lsr), 0x60);
}

} // namespace namsan
