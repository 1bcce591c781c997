// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

TEST(IrqLine, PassesOnChangesOfLevelOnly)
{
    RecordingInterruptSink sink;
    IrqLine line(sink, 4);
    line.lower();
    line.raise();
    line.raise();
    EXPECT_EQ(sink.rises(4), 1);
    EXPECT_TRUE(sink.level(4));
    EXPECT_TRUE(line.level());
    line.set(false);
    EXPECT_FALSE(sink.level(4));
}

TEST(IrqLine, MakesARisingEdgeFromEitherLevel)
{
    RecordingInterruptSink sink;
    IrqLine line(sink, 0);
    line.pulse();
    EXPECT_EQ(sink.rises(0), 1);
    line.raise();
    line.pulse();
    EXPECT_EQ(sink.rises(0), 3);
    EXPECT_FALSE(line.level());
}

} // namespace namsan
