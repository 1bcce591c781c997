// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/input/keyboard_controller.h"

#include "tests/support/bare_board.h"
#include "vmm/devices/input/ps2_keyboard.h"
#include "vmm/devices/input/ps2_mouse.h"

#include <gtest/gtest.h>

namespace namsan {

class KeyboardControllerTest : public ::testing::Test {
protected:
    static constexpr Port data = 0x60, command = 0x64;
    static constexpr HidUsage keyA = 0x04, keyB = 0x05;

    BareBoard board;
    IrqLine keyboardLine { board.interrupts(), 1 };
    IrqLine mouseLine { board.interrupts(), 12 };
    Ps2Keyboard keyboard { board.timers() };
    Ps2Mouse mouse { board.timers() };
    KeyboardController controller { board.ports(), keyboardLine, mouseLine, board.gateA20(), board.resetLine(),
        board.timers(), keyboard, mouse };

    void settle() { board.advance(KeyboardController::byteTime); }
    bool full() { return board.in(command)&1; }
    bool fromMouse() { return board.in(command)&0x20; }
    uint8_t ask(uint8_t asked)
    {
        board.out(command, asked);
        return board.in(data);
    }
    void commandWith(uint8_t asked, uint8_t parameter)
    {
        board.out(command, asked);
        board.out(data, parameter);
    }
    std::vector<uint8_t> readAll()
    {
        std::vector<uint8_t> bytes;
        for (settle(); full(); settle())
            bytes.push_back(board.in(data));
        return bytes;
    }
};

using Bytes = std::vector<uint8_t>;

TEST_F(KeyboardControllerTest, StartsAsABiosLeavesIt)
{
    EXPECT_EQ(board.in(command), 0x14) << "nothing to read, self-test passed, not locked";
    EXPECT_EQ(ask(0x20), 0x65);
    EXPECT_FALSE(board.gateA20().open());
}

TEST_F(KeyboardControllerTest, PassesItsTests)
{
    EXPECT_EQ(ask(0xaa), 0x55);
    EXPECT_EQ(ask(0xab), 0x00);
    EXPECT_EQ(ask(0xa9), 0x00);
    EXPECT_EQ(ask(0xa4), 0xf1);
    EXPECT_EQ(ask(0xc0) & 0x80, 0x80) << "the keyboard is not locked";
}

TEST_F(KeyboardControllerTest, KeepsItsMemory)
{
    commandWith(0x60, 0x47);
    EXPECT_EQ(ask(0x20), 0x47);
    commandWith(0x7f, 0x99);
    EXPECT_EQ(ask(0x3f), 0x99);
    board.out(command, 0xa7);
    EXPECT_EQ(ask(0x20) & 0x20, 0x20);
    board.out(command, 0xa8);
    EXPECT_EQ(ask(0x20) & 0x20, 0x00);
    board.out(command, 0xad);
    EXPECT_EQ(ask(0x20) & 0x10, 0x10);
    board.out(command, 0xae);
    EXPECT_EQ(ask(0x20) & 0x10, 0x00);
}

TEST_F(KeyboardControllerTest, ShowsWhetherACommandOrDataWasWrittenLast)
{
    board.out(command, 0x60);
    EXPECT_EQ(board.in(command)&0x08, 0x08);
    board.out(data, 0x47);
    EXPECT_EQ(board.in(command)&0x08, 0x00);
}

TEST_F(KeyboardControllerTest, DrivesTheA20Gate)
{
    commandWith(0xd1, 0xdf);
    EXPECT_TRUE(board.gateA20().open());
    EXPECT_EQ(ask(0xd0) & 0x02, 0x02);
    commandWith(0xd1, 0xdd);
    EXPECT_FALSE(board.gateA20().open());
    board.out(command, 0xdf);
    EXPECT_TRUE(board.gateA20().open());
    board.out(command, 0xdd);
    EXPECT_FALSE(board.gateA20().open());
    EXPECT_EQ(board.resetLine().pulses(), 0);
}

TEST_F(KeyboardControllerTest, PullsTheResetLine)
{
    board.out(command, 0xfe);
    EXPECT_EQ(board.resetLine().pulses(), 1);
    board.out(command, 0xff);
    EXPECT_EQ(board.resetLine().pulses(), 1) << "no bit is pulsed";
    commandWith(0xd1, 0x02);
    EXPECT_EQ(board.resetLine().pulses(), 2);
}

TEST_F(KeyboardControllerTest, TranslatesAKeyAndInterrupts)
{
    keyboard.keyEvent({ keyA, true });
    EXPECT_TRUE(full()) << "an idle line costs no time";
    EXPECT_TRUE(board.interrupts().level(1));
    EXPECT_EQ(board.in(data), 0x1e);
    EXPECT_FALSE(board.interrupts().level(1));
    keyboard.keyEvent({ keyA, false });
    settle();
    EXPECT_EQ(board.in(data), 0x9e);
    EXPECT_EQ(board.interrupts().rises(1), 2);
}

TEST_F(KeyboardControllerTest, PassesSetTwoThroughWithoutTranslation)
{
    commandWith(0x60, 0x05);
    keyboard.keyEvent({ keyA, true });
    keyboard.keyEvent({ keyA, false });
    EXPECT_EQ(readAll(), (Bytes { 0x1c, 0xf0, 0x1c }));
}

TEST_F(KeyboardControllerTest, GivesTheNextByteOnlyAfterItsTimeOnTheLine)
{
    keyboard.keyEvent({ keyA, true });
    keyboard.keyEvent({ keyB, true });
    EXPECT_EQ(board.in(data), 0x1e);
    EXPECT_EQ(board.in(data), 0x1e) << "read twice in one interrupt";
    board.advance(KeyboardController::byteTime - GuestTime(1));
    EXPECT_FALSE(full());
    board.advance(GuestTime(1));
    EXPECT_TRUE(full());
    EXPECT_EQ(board.in(data), 0x30);
}

TEST_F(KeyboardControllerTest, HoldsADisabledKeyboardsBytesBack)
{
    board.out(command, 0xad);
    keyboard.keyEvent({ keyA, true });
    settle();
    EXPECT_FALSE(full());
    board.out(command, 0xae);
    EXPECT_TRUE(full());
    EXPECT_EQ(board.in(data), 0x1e);
}

TEST_F(KeyboardControllerTest, WorksByPollingWithInterruptsOff)
{
    commandWith(0x60, 0x44);
    keyboard.keyEvent({ keyA, true });
    EXPECT_TRUE(full());
    EXPECT_EQ(board.interrupts().rises(1), 0);
    EXPECT_EQ(board.in(data), 0x1e);
}

TEST_F(KeyboardControllerTest, SendsDataToTheKeyboardAndEnablesIt)
{
    board.out(command, 0xad);
    board.out(data, 0xf2);
    EXPECT_FALSE(full()) << "an answer takes its time";
    EXPECT_EQ(readAll(), (Bytes { 0xfa, 0xab, 0x41 })) << "83 is translated too, as on every PC";
    EXPECT_EQ(ask(0x20) & 0x10, 0x00);
}

TEST_F(KeyboardControllerTest, SendsToTheMouseByD4)
{
    commandWith(0xd4, 0xff);
    settle();
    EXPECT_TRUE(fromMouse());
    EXPECT_EQ(board.interrupts().rises(12), 0) << "not enabled";
    EXPECT_EQ(readAll(), (Bytes { 0xfa, 0xaa, 0x00 })) << "translation is for the keyboard";
    commandWith(0x60, 0x47);
    commandWith(0xd4, 0xf2);
    settle();
    EXPECT_TRUE(board.interrupts().level(12));
    EXPECT_FALSE(board.interrupts().level(1));
    EXPECT_EQ(readAll(), (Bytes { 0xfa, 0x00 }));
}

TEST_F(KeyboardControllerTest, LoopsBytesThroughItsOutputBuffer)
{
    commandWith(0x60, 0x47);
    commandWith(0xd3, 0x5a); // Linux finds the auxiliary port by this
    EXPECT_TRUE(fromMouse());
    EXPECT_TRUE(board.interrupts().level(12));
    EXPECT_EQ(board.in(data), 0x5a);
    commandWith(0xd2, 0xa5);
    EXPECT_TRUE(full());
    EXPECT_FALSE(fromMouse());
    EXPECT_TRUE(board.interrupts().level(1));
    EXPECT_EQ(board.in(data), 0xa5);
}

TEST_F(KeyboardControllerTest, GivesKeyboardAndMouseTheirTurns)
{
    commandWith(0x60, 0x47);
    commandWith(0xd4, 0xf4);
    ASSERT_EQ(readAll(), Bytes { 0xfa });
    mouse.move({ 3, 0 });
    keyboard.keyEvent({ keyA, true });
    EXPECT_EQ(readAll().size(), 4u);
    EXPECT_EQ(board.interrupts().rises(1), 1);
    EXPECT_EQ(board.interrupts().rises(12), 4) << "the acknowledgement and a packet of three";
}

TEST_F(KeyboardControllerTest, TakesOneByteAtATimeFromAKeyboardThatIsRefilledMeanwhile)
{
    keyboard.drained().listen([this, more = 3](const KeyboardDrained&) mutable {
        if (more-- > 0) {
            keyboard.keyEvent({ keyB, true });
            keyboard.keyEvent({ keyB, false });
        }
    });
    keyboard.keyEvent({ keyA, true });
    EXPECT_EQ(readAll(), (Bytes { 0x1e, 0x30, 0xb0, 0x30, 0xb0, 0x30, 0xb0 }));
}

TEST_F(KeyboardControllerTest, ComesBackFromASnapshot)
{
    board.out(command, 0xdf);
    commandWith(0x60, 0x45);
    keyboard.keyEvent({ keyA, true });
    const Snapshot snapshot = board.save(controller);
    controller.reset();
    EXPECT_FALSE(board.gateA20().open());
    EXPECT_FALSE(full());

    ASSERT_TRUE(board.restore(controller, snapshot));
    EXPECT_TRUE(board.gateA20().open());
    EXPECT_TRUE(board.interrupts().level(1));
    EXPECT_EQ(board.in(data), 0x1e);
    EXPECT_EQ(ask(0x20), 0x45);
}

TEST_F(KeyboardControllerTest, GoesOnWithDevicesThatAreRestoredAfterIt)
{
    board.out(command, 0xad);
    keyboard.keyEvent({ keyA, true });
    board.out(command, 0xae);
    keyboard.keyEvent({ keyB, true });
    const Snapshot first = board.save(controller);
    const Snapshot second = board.save(keyboard);
    controller.reset();
    keyboard.reset();
    ASSERT_TRUE(board.restore(controller, first));
    ASSERT_TRUE(board.restore(keyboard, second));
    EXPECT_EQ(readAll(), (Bytes { 0x1e, 0x30 }));
}

TEST_F(KeyboardControllerTest, RefusesDamagedSnapshotsAndKeepsItsState)
{
    board.out(command, 0xdf);
    Snapshot snapshot = board.save(controller);
    EXPECT_FALSE(board.restore(controller, Snapshot {}));
    snapshot[33] = 2; // output full
    EXPECT_FALSE(board.restore(controller, snapshot));
    snapshot[33] = 0;
    snapshot[36] = 0x11; // no command that awaits data
    EXPECT_FALSE(board.restore(controller, snapshot));
    EXPECT_TRUE(board.gateA20().open());
}

} // namespace namsan
