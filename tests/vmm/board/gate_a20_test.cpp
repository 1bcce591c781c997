// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/gate_a20.h"

#include <gtest/gtest.h>

namespace namsan {

TEST(GateA20, IsOpenWhileEitherSourceSaysSo)
{
    GateA20 gate;
    EXPECT_FALSE(gate.open());
    gate.setKeyboardGate(true);
    EXPECT_TRUE(gate.open());
    gate.setFastGate(true);
    gate.setKeyboardGate(false);
    EXPECT_TRUE(gate.open());
    gate.setFastGate(false);
    EXPECT_FALSE(gate.open());
}

TEST(GateA20, TellsOfChangesOnly)
{
    GateA20 gate;
    std::vector<bool> told;
    gate.changes().listen([&](bool open) { told.push_back(open); });
    gate.setFastGate(false);
    gate.setFastGate(true);
    gate.setKeyboardGate(true);
    gate.setFastGate(false);
    gate.setKeyboardGate(false);
    EXPECT_EQ(told, (std::vector<bool> { true, false }));
}

} // namespace namsan
