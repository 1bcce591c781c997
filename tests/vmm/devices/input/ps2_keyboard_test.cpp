// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/input/ps2_keyboard.h"

#include "tests/support/bare_board.h"
#include "vmm/devices/input/hid_scan_codes.h"
#include "vmm/devices/input/scan_code_set_1.h"

#include <gtest/gtest.h>

#include <set>

namespace namsan {

using Bytes = std::vector<uint8_t>;

class Ps2KeyboardTest : public ::testing::Test {
protected:
    static constexpr HidUsage keyA = 0x04, insert = 0x49, hangul = 0x90;

    BareBoard board;
    Ps2Keyboard keyboard { board.timers() };

    Bytes takeAll()
    {
        Bytes bytes;
        while (keyboard.hasByte())
            bytes.push_back(keyboard.takeByte());
        return bytes;
    }
    Bytes press(HidUsage usage)
    {
        keyboard.keyEvent({ usage, true });
        return takeAll();
    }
    Bytes release(HidUsage usage)
    {
        keyboard.keyEvent({ usage, false });
        return takeAll();
    }
    Bytes send(std::initializer_list<uint8_t> bytes)
    {
        Bytes answers;
        for (const uint8_t byte : bytes) {
            keyboard.command(byte);
            const Bytes answer = takeAll();
            answers.insert(answers.end(), answer.begin(), answer.end());
        }
        return answers;
    }
};

TEST_F(Ps2KeyboardTest, SendsMakeAndBreakCodes)
{
    EXPECT_EQ(press(keyA), Bytes { 0x1c });
    EXPECT_EQ(release(keyA), (Bytes { 0xf0, 0x1c }));
    EXPECT_EQ(press(insert), (Bytes { 0xe0, 0x70 }));
    EXPECT_EQ(release(insert), (Bytes { 0xe0, 0xf0, 0x70 }));
    EXPECT_EQ(press(hangul), Bytes { 0xf2 });
    EXPECT_EQ(release(hangul), Bytes {});
}

TEST_F(Ps2KeyboardTest, IgnoresUnknownKeysAndTheHostsRepeats)
{
    EXPECT_EQ(press(0x03), Bytes {});
    EXPECT_EQ(press(0xff), Bytes {});
    press(keyA);
    EXPECT_EQ(press(keyA), Bytes {});
    release(keyA);
    EXPECT_EQ(release(keyA), Bytes {});
}

TEST_F(Ps2KeyboardTest, SendsPauseAndBreak)
{
    EXPECT_EQ(press(pauseUsage), (Bytes { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 }));
    EXPECT_EQ(release(pauseUsage), Bytes {});
    press(leftControlUsage);
    EXPECT_EQ(press(pauseUsage), (Bytes { 0xe0, 0x7e, 0xe0, 0xf0, 0x7e }));
}

TEST_F(Ps2KeyboardTest, SendsPrintScreenAsItsCompanionsHaveIt)
{
    EXPECT_EQ(press(printScreenUsage), (Bytes { 0xe0, 0x12, 0xe0, 0x7c }));
    EXPECT_EQ(release(printScreenUsage), (Bytes { 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12 }));
    press(rightShiftUsage);
    EXPECT_EQ(press(printScreenUsage), (Bytes { 0xe0, 0x7c }));
    EXPECT_EQ(release(printScreenUsage), (Bytes { 0xe0, 0xf0, 0x7c }));
    release(rightShiftUsage);
    press(leftAltUsage);
    EXPECT_EQ(press(printScreenUsage), Bytes { 0x84 });
    release(leftAltUsage);
    EXPECT_EQ(release(printScreenUsage), (Bytes { 0xf0, 0x84 })) << "released as it was pressed";
}

TEST_F(Ps2KeyboardTest, RepeatsTheLastKeyAfterItsDelay)
{
    press(keyA);
    board.advance(std::chrono::milliseconds(499));
    EXPECT_EQ(takeAll(), Bytes {});
    board.advance(std::chrono::milliseconds(1));
    EXPECT_EQ(takeAll(), Bytes { 0x1c });
    board.advance(std::chrono::microseconds(91'740)); // 10.9 characters per second
    EXPECT_EQ(takeAll(), Bytes { 0x1c });
    release(keyA);
    board.advance(std::chrono::seconds(3));
    EXPECT_EQ(takeAll(), Bytes {});
    EXPECT_FALSE(board.timers().nextDeadline());
}

TEST_F(Ps2KeyboardTest, RepeatsAtTheRateItIsTold)
{
    EXPECT_EQ(send({ 0xf3, 0x60 }), (Bytes { 0xfa, 0xfa })); // 1 s, 30 per second
    press(keyA);
    board.advance(std::chrono::milliseconds(999));
    EXPECT_EQ(takeAll(), Bytes {});
    int repeats = 0;
    for (int i = 0; i < 1000; ++i) {
        board.advance(std::chrono::milliseconds(1));
        repeats += static_cast<int>(takeAll().size());
    }
    EXPECT_EQ(repeats, 30);
}

TEST_F(Ps2KeyboardTest, DoesNotFillItsBufferByRepeating)
{
    keyboard.keyEvent({ keyA, true });
    board.advance(std::chrono::seconds(60));
    EXPECT_EQ(takeAll(), Bytes { 0x1c });
}

TEST_F(Ps2KeyboardTest, OverrunsWithOneCodeForAllThatIsLost)
{
    for (HidUsage usage = 0x04; usage < 0x04 + 15; ++usage)
        keyboard.keyEvent({ usage, true });
    EXPECT_EQ(keyboard.room(), 1);
    keyboard.keyEvent({ insert, true }); // two bytes, in whole or not at all
    keyboard.keyEvent({ keyA, false });
    keyboard.keyEvent({ 0x2c, true });
    Bytes bytes = takeAll();
    ASSERT_EQ(bytes.size(), 16u);
    EXPECT_EQ(bytes.back(), 0x00);
    EXPECT_EQ(release(0x2c), (Bytes { 0xf0, 0x29 })) << "there is room again";
}

TEST_F(Ps2KeyboardTest, TellsWhenItIsDrained)
{
    int drained = 0;
    keyboard.drained().listen([&drained](const KeyboardDrained&) { ++drained; });
    keyboard.keyEvent({ insert, true });
    keyboard.takeByte();
    EXPECT_EQ(drained, 0);
    keyboard.takeByte();
    EXPECT_EQ(drained, 1);
    EXPECT_EQ(keyboard.room(), 16);
}

TEST_F(Ps2KeyboardTest, TakesKeysOnlyWhereNoneIsLost)
{
    int drained = 0;
    keyboard.drained().listen([&drained](const KeyboardDrained&) { ++drained; });
    for (HidUsage usage = 0x04; usage < 0x04 + 8; ++usage) {
        EXPECT_TRUE(keyboard.takesKey());
        keyboard.keyEvent({ usage, true });
    }
    EXPECT_TRUE(keyboard.takesKey());
    keyboard.keyEvent({ 0x10, true });
    EXPECT_FALSE(keyboard.takesKey()) << "the longest key would not fit";

    keyboard.command(0xf5); // switched off, buffer emptied
    EXPECT_FALSE(keyboard.takesKey());
    EXPECT_EQ(drained, 0);
    keyboard.command(0xf4);
    EXPECT_TRUE(keyboard.takesKey());
    EXPECT_EQ(drained, 1) << "those who wait are to hear of it";
}

TEST_F(Ps2KeyboardTest, AnswersItsCommands)
{
    EXPECT_EQ(send({ 0xee }), Bytes { 0xee });
    EXPECT_EQ(send({ 0xf2 }), (Bytes { 0xfa, 0xab, 0x83 }));
    EXPECT_EQ(send({ 0xff }), (Bytes { 0xfa, 0xaa }));
    EXPECT_EQ(send({ 0xed, 0x05 }), (Bytes { 0xfa, 0xfa }));
    EXPECT_EQ(keyboard.lights(), 5);
    EXPECT_EQ(send({ 0xf0, 0x00 }), (Bytes { 0xfa, 0xfa, 0x02 }));
    EXPECT_EQ(send({ 0xf0, 0x03 }), (Bytes { 0xfa, 0xfe })) << "set 3 is not there";
    EXPECT_EQ(send({ 0xef }), Bytes { 0xfe }) << "no such command";
    EXPECT_EQ(send({ 0xf8 }), Bytes { 0xfa });
    EXPECT_EQ(send({ 0xfc, 0x12, 0x13, 0xf4 }), (Bytes { 0xfa, 0xfa, 0xfa, 0xfa }));
    press(keyA);
    EXPECT_EQ(send({ 0xfe }), Bytes { 0x1c }) << "resend";
}

TEST_F(Ps2KeyboardTest, TakesACommandInPlaceOfAParameter)
{
    EXPECT_EQ(send({ 0xed, 0xee }), (Bytes { 0xfa, 0xee }));
    EXPECT_EQ(keyboard.lights(), 0);
}

TEST_F(Ps2KeyboardTest, SaysNothingWhileDisabled)
{
    EXPECT_EQ(send({ 0xf5 }), Bytes { 0xfa });
    EXPECT_EQ(press(keyA), Bytes {});
    EXPECT_EQ(send({ 0xf4 }), Bytes { 0xfa });
    EXPECT_EQ(release(keyA), (Bytes { 0xf0, 0x1c }));
}

TEST_F(Ps2KeyboardTest, SpeaksScanCodeSetOne)
{
    EXPECT_EQ(send({ 0xf0, 0x01, 0xf0, 0x00 }), (Bytes { 0xfa, 0xfa, 0xfa, 0xfa, 0x01 }));
    EXPECT_EQ(press(keyA), Bytes { 0x1e });
    EXPECT_EQ(release(keyA), Bytes { 0x9e });
    EXPECT_EQ(press(insert), (Bytes { 0xe0, 0x52 }));
    EXPECT_EQ(press(pauseUsage), (Bytes { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 }));
}

TEST_F(Ps2KeyboardTest, ComesBackFromASnapshot)
{
    send({ 0xed, 0x02 });
    keyboard.keyEvent({ keyA, true });
    const Snapshot snapshot = board.save(keyboard);
    keyboard.reset();
    EXPECT_EQ(takeAll(), Bytes {});
    ASSERT_TRUE(board.restore(keyboard, snapshot));
    EXPECT_EQ(takeAll(), Bytes { 0x1c });
    EXPECT_EQ(keyboard.lights(), 2);
    board.advance(std::chrono::milliseconds(500));
    EXPECT_EQ(takeAll(), Bytes { 0x1c }) << "still held, still repeating";
}

TEST_F(Ps2KeyboardTest, RefusesDamagedSnapshotsAndKeepsItsState)
{
    send({ 0xed, 0x02 });
    Snapshot snapshot = board.save(keyboard);
    EXPECT_FALSE(board.restore(keyboard, Snapshot(snapshot.begin(), snapshot.end() - 1)));
    for (const size_t impossible : { size_t { 4 }, size_t { 5 + 17 } }) { // the queues' sizes
        Snapshot damaged = snapshot;
        damaged[impossible] = 99;
        EXPECT_FALSE(board.restore(keyboard, damaged)) << impossible;
    }
    EXPECT_EQ(keyboard.lights(), 2);
    EXPECT_TRUE(board.restore(keyboard, snapshot));
}

TEST(HidScanCodesTest, GivesEachKeyOfTheBoardACodeOfItsOwn)
{
    std::set<std::pair<bool, uint8_t>> codes;
    int keys = 0;
    for (unsigned usage = 0; usage < 256; ++usage) {
        const auto code = scanCodeOf(static_cast<HidUsage>(usage));
        // A backslash is one key in two places of two layouts; Zenkaku/Hankaku and F24 share a code by specification.
        if (!code || usage == 0x32 || usage == 0x94)
            continue;
        ++keys;
        EXPECT_TRUE(codes.emplace(code->extended, code->code).second) << "usage " << std::hex << usage;
    }
    EXPECT_GE(keys, 103 + 12 + 6 + 2);
}

TEST(HidScanCodesTest, KnowsTheKeysOfOtherCountries)
{
    EXPECT_EQ(scanCodeOf(0x64), (ScanCode { 0x61, false, false })) << "beside the left Shift";
    EXPECT_EQ(scanCodeOf(0x87), (ScanCode { 0x51, false, false })) << "Ro";
    EXPECT_EQ(scanCodeOf(0x89), (ScanCode { 0x6a, false, false })) << "Yen";
    EXPECT_EQ(scanCodeOf(0x85), (ScanCode { 0x6d, false, false })) << "Brazilian keypad";
    EXPECT_EQ(scanCodeOf(0x91), (ScanCode { 0xf1, false, true })) << "Hanja";
    EXPECT_EQ(scanCodeOf(0xe7), (ScanCode { 0x27, true, false })) << "right GUI";
    EXPECT_FALSE(scanCodeOf(printScreenUsage));
    EXPECT_FALSE(scanCodeOf(0xe8));
}

TEST(ScanCodeSet1Test, TranslatesAsThe8042Does)
{
    EXPECT_EQ(scanCodeSet1Of(0x1c), 0x1e); // A
    EXPECT_EQ(scanCodeSet1Of(0x76), 0x01); // Escape
    EXPECT_EQ(scanCodeSet1Of(0x83), 0x41); // F7
    EXPECT_EQ(scanCodeSet1Of(0x84), 0x54); // SysRq
    EXPECT_EQ(scanCodeSet1Of(0x00), 0xff); // overrun
    EXPECT_EQ(scanCodeSet1Of(0xe0), 0xe0);
    EXPECT_EQ(scanCodeSet1Of(0xfa), 0xfa);
}

} // namespace namsan
