// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/interrupt/coprocessor_error_port.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

class CoprocessorErrorPortTest : public ::testing::Test {
protected:
    BareBoard board;
    CoprocessorErrorPort port { board.ports(), IrqLine(board.interrupts(), 13) };
};

TEST_F(CoprocessorErrorPortTest, ReportsAnErrorAsIrq13UntilTheGuestClearsIt)
{
    port.setNumericError(true);
    EXPECT_TRUE(board.interrupts().level(13));
    EXPECT_FALSE(port.ignoresNumericError());
    port.setNumericError(false);
    EXPECT_TRUE(board.interrupts().level(13)) << "the interrupt is a latch";
    board.out(0xf0, 0);
    EXPECT_FALSE(board.interrupts().level(13));
    EXPECT_FALSE(port.ignoresNumericError()) << "there is nothing to ignore";
}

TEST_F(CoprocessorErrorPortTest, IgnoresTheErrorFromTheWriteUntilItIsGone)
{
    port.setNumericError(true);
    board.out(0xf0, 0);
    EXPECT_FALSE(board.interrupts().level(13));
    EXPECT_TRUE(port.ignoresNumericError());
    port.setNumericError(true);
    EXPECT_TRUE(port.ignoresNumericError());
    EXPECT_EQ(board.interrupts().rises(13), 1);
    port.setNumericError(false);
    EXPECT_FALSE(port.ignoresNumericError());
    port.setNumericError(true);
    EXPECT_EQ(board.interrupts().rises(13), 2);
}

TEST_F(CoprocessorErrorPortTest, PortF1OnlyClearsTheLatch)
{
    port.setNumericError(true);
    board.out(0xf1, 0);
    EXPECT_FALSE(board.interrupts().level(13));
    EXPECT_FALSE(port.ignoresNumericError());
    EXPECT_EQ(board.in(0xf0), 0xff);
    EXPECT_EQ(board.in(0xf1), 0xff);
}

TEST_F(CoprocessorErrorPortTest, ComesBackFromASnapshot)
{
    port.setNumericError(true);
    const Snapshot asking = board.save(port);
    board.out(0xf0, 0);
    const Snapshot ignoring = board.save(port);
    port.reset();
    EXPECT_FALSE(port.ignoresNumericError());

    ASSERT_TRUE(board.restore(port, ignoring));
    EXPECT_TRUE(port.ignoresNumericError());
    EXPECT_FALSE(board.interrupts().level(13));
    ASSERT_TRUE(board.restore(port, asking));
    EXPECT_FALSE(port.ignoresNumericError());
    EXPECT_TRUE(board.interrupts().level(13));
}

TEST_F(CoprocessorErrorPortTest, RefusesDamagedSnapshots)
{
    port.setNumericError(true);
    EXPECT_FALSE(board.restore(port, { 1, 1 }));
    EXPECT_FALSE(board.restore(port, { 0, 1, 0 })) << "IGNNE# without FERR#";
    EXPECT_TRUE(board.interrupts().level(13));
}

} // namespace namsan
