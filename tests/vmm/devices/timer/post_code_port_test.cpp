// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/post_code_port.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

TEST(PostCodePort, ShowsTheLastCode)
{
    BareBoard board;
    PostCodePort port(board.ports());
    EXPECT_EQ(port.lastCode(), 0);
    board.out(0x80, 0x55);
    EXPECT_EQ(port.lastCode(), 0x55);
    EXPECT_EQ(board.in(0x80), 0x55);
    const Snapshot snapshot = board.save(port);
    port.reset();
    EXPECT_EQ(board.in(0x80), 0);
    ASSERT_TRUE(board.restore(port, snapshot));
    EXPECT_EQ(board.in(0x80), 0x55);
    EXPECT_FALSE(board.restore(port, {}));
    EXPECT_EQ(board.in(0x80), 0x55);
}

} // namespace namsan
