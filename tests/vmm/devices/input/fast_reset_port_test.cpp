// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/input/fast_reset_port.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

class FastResetPortTest : public ::testing::Test {
protected:
    BareBoard board;
    FastResetPort port { board.ports(), board.gateA20(), board.resetLine() };
};

TEST_F(FastResetPortTest, OpensAndClosesTheGate)
{
    EXPECT_EQ(board.in(0x92), 0);
    board.out(0x92, 0b10);
    EXPECT_TRUE(board.gateA20().open());
    EXPECT_EQ(board.in(0x92), 0b10);
    board.out(0x92, 0);
    EXPECT_FALSE(board.gateA20().open());
}

TEST_F(FastResetPortTest, ResetsOnTheRisingEdgeOnly)
{
    board.out(0x92, 0b01);
    board.out(0x92, 0b01);
    board.out(0x92, 0b11);
    EXPECT_EQ(board.resetLine().pulses(), 1);
    board.out(0x92, 0b10);
    board.out(0x92, 0b11);
    EXPECT_EQ(board.resetLine().pulses(), 2);
}

TEST_F(FastResetPortTest, SurvivesAListenerThatResetsItAtOnce)
{
    board.resetLine().channel().listen([this](const ResetPulse&) { port.reset(); });
    board.out(0x92, 0b11);
    EXPECT_EQ(board.in(0x92), 0);
    EXPECT_FALSE(board.gateA20().open());
}

TEST_F(FastResetPortTest, ComesBackFromASnapshotWithItsGateAndWithoutAReset)
{
    board.out(0x92, 0b11);
    const Snapshot snapshot = board.save(port);
    port.reset();
    ASSERT_FALSE(board.gateA20().open());
    ASSERT_TRUE(board.restore(port, snapshot));
    EXPECT_TRUE(board.gateA20().open());
    EXPECT_EQ(board.in(0x92), 0b11);
    EXPECT_EQ(board.resetLine().pulses(), 1);
}

TEST_F(FastResetPortTest, RefusesATruncatedSnapshotAndKeepsItsState)
{
    board.out(0x92, 0b10);
    EXPECT_FALSE(board.restore(port, {}));
    EXPECT_TRUE(board.gateA20().open());
    EXPECT_EQ(board.in(0x92), 0b10);
}

} // namespace namsan
