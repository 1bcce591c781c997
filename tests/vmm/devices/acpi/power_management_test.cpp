// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/acpi/power_management.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

using namespace std::chrono_literals;

class PowerManagementTest : public ::testing::Test {
protected:
    static constexpr Port statusPort = 0x600;
    static constexpr Port enablePort = 0x602;
    static constexpr Port controlPort = 0x604;
    static constexpr Port timerPort = 0x608;
    static constexpr uint16_t powerButton = 1 << 8;
    static constexpr uint16_t timerCarry = 1 << 0;
    // 2^23 ticks of 3.579545 MHz.
    static constexpr GuestTime halfPeriod { 2'343'484'437 };

    BareBoard board;
    IrqLine sci { board.interrupts(), 9 };
    Channel<PowerOffRequest> powerOff;
    int powerOffs = 0;
    PowerManagement chip { board.ports(), board.timers(), sci, powerOff };

    PowerManagementTest()
    {
        powerOff.listen([this](const PowerOffRequest&) { ++powerOffs; });
    }

    uint16_t in16(Port port) { return static_cast<uint16_t>(board.ports().in(port, Width::Word)); }
    uint32_t timer() { return board.ports().in(timerPort, Width::Dword); }
    void out16(Port port, uint16_t value) { board.ports().out(port, Width::Word, value); }
    bool interrupt() { return board.interrupts().level(9); }
    void enableAcpi() { board.out(0xb2, 0xf1); }
};

TEST_F(PowerManagementTest, HandsOverByTheSmiCommandPort)
{
    EXPECT_EQ(in16(controlPort) & 1, 0);
    enableAcpi();
    EXPECT_EQ(in16(controlPort) & 1, 1);
    EXPECT_EQ(board.in(0xb2), 0xf1);
    board.out(0xb2, 0xf0);
    EXPECT_EQ(in16(controlPort) & 1, 0);
    board.out(0xb3, 0x5a);
    EXPECT_EQ(board.in(0xb3), 0x5a);
}

TEST_F(PowerManagementTest, RaisesTheInterruptForThePowerButtonUntilItIsCleared)
{
    enableAcpi();
    out16(enablePort, powerButton);
    chip.pressPowerButton();
    EXPECT_EQ(in16(statusPort), powerButton);
    EXPECT_TRUE(interrupt());
    out16(statusPort, 0);
    EXPECT_TRUE(interrupt());
    out16(statusPort, powerButton);
    EXPECT_EQ(in16(statusPort), 0);
    EXPECT_FALSE(interrupt());
}

TEST_F(PowerManagementTest, StaysSilentWithoutEnableOrWithoutAcpi)
{
    chip.pressPowerButton();
    EXPECT_FALSE(interrupt());
    out16(enablePort, powerButton);
    EXPECT_FALSE(interrupt());
    enableAcpi();
    EXPECT_TRUE(interrupt()); // it has waited
    out16(enablePort, 0);
    EXPECT_FALSE(interrupt());
}

TEST_F(PowerManagementTest, SwitchesOffForS5Only)
{
    out16(controlPort, 0x2000 | 1 << 10); // S1 on a PIIX4
    out16(controlPort, 0x2000 | 7 << 10);
    EXPECT_EQ(powerOffs, 0);
    out16(controlPort, 0); // the type alone
    EXPECT_EQ(powerOffs, 0);
    out16(controlPort, 0x2001);
    EXPECT_EQ(powerOffs, 1);
    EXPECT_EQ(in16(controlPort), 1); // SLP_EN reads as 0
}

TEST_F(PowerManagementTest, SwitchesOffByAByteToo)
{
    board.out(controlPort, 0x01);
    EXPECT_EQ(powerOffs, 0);
    board.out(controlPort + 1, 0x20);
    EXPECT_EQ(powerOffs, 1);
}

TEST_F(PowerManagementTest, CountsAtItsFrequencyIn24Bits)
{
    EXPECT_EQ(timer(), 0u);
    board.advance(1s);
    EXPECT_EQ(timer(), 3'579'545u);
    board.advance(4s);
    EXPECT_EQ(timer(), 5 * 3'579'545u - (1u << 24));
    const uint32_t low = in16(timerPort);
    const uint32_t high = in16(timerPort + 2);
    EXPECT_EQ(low | high << 16, timer());
}

TEST_F(PowerManagementTest, ReportsEachCarryOfTheTimer)
{
    board.advance(halfPeriod - 1us);
    EXPECT_EQ(in16(statusPort) & timerCarry, 0);
    board.advance(2us);
    EXPECT_EQ(in16(statusPort) & timerCarry, timerCarry);
    out16(statusPort, timerCarry);
    EXPECT_EQ(in16(statusPort) & timerCarry, 0);
    board.advance(halfPeriod);
    EXPECT_EQ(in16(statusPort) & timerCarry, timerCarry);
}

TEST_F(PowerManagementTest, InterruptsAtEachCarryWhereEnabled)
{
    EXPECT_FALSE(board.timers().nextDeadline()); // a guest that doesn't ask costs nothing
    enableAcpi();
    out16(enablePort, timerCarry);
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(interrupt());
        board.advance(halfPeriod + 1us);
        EXPECT_TRUE(interrupt());
        out16(statusPort, timerCarry);
    }
    out16(enablePort, 0);
    EXPECT_FALSE(board.timers().nextDeadline());
}

TEST_F(PowerManagementTest, ReadsZeroWhereThereIsNothing)
{
    board.ports().out(0x620, Width::Dword, 0xffffffff);
    EXPECT_EQ(board.ports().in(0x620, Width::Dword), 0u);
    EXPECT_EQ(board.in(0x60b), 0u);
    EXPECT_EQ(board.ports().in(0x606, Width::Word), 0u);
}

TEST_F(PowerManagementTest, ComesBackFromASnapshotWithItsInterrupt)
{
    enableAcpi();
    out16(enablePort, powerButton | timerCarry);
    chip.pressPowerButton();
    const Snapshot snapshot = board.save(chip);
    chip.reset();
    EXPECT_FALSE(interrupt());
    ASSERT_TRUE(board.restore(chip, snapshot));
    EXPECT_TRUE(interrupt());
    EXPECT_EQ(in16(statusPort), powerButton);
    EXPECT_EQ(in16(enablePort), powerButton | timerCarry);
    EXPECT_TRUE(board.timers().nextDeadline());
}

TEST_F(PowerManagementTest, KeepsACarryInASnapshot)
{
    board.advance(halfPeriod + 1us);
    const Snapshot snapshot = board.save(chip);
    out16(statusPort, timerCarry);
    ASSERT_TRUE(board.restore(chip, snapshot));
    EXPECT_EQ(in16(statusPort), timerCarry);
}

TEST_F(PowerManagementTest, RefusesFalseSnapshotsAndKeepsItsState)
{
    enableAcpi();
    EXPECT_FALSE(board.restore(chip, Snapshot {}));
    Snapshot snapshot = board.save(chip);
    snapshot[0] = 0xff;
    EXPECT_FALSE(board.restore(chip, snapshot));
    EXPECT_EQ(in16(controlPort), 1);
}

} // namespace namsan
