// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/pci/pci_interrupts.h"

#include "tests/support/bare_board.h"
#include "vmm/devices/pci/isa_bridge.h"

#include <gtest/gtest.h>

namespace namsan {

class PciInterruptsTest : public ::testing::Test {
protected:
    BareBoard board;
    RecordingInterruptSink wires;
    PciInterrupts interrupts;
    IsaBridge bridge { board.interrupts() };

    PciInterruptsTest()
    {
        interrupts.connect(wires);
        interrupts.connect(bridge);
    }
    void route(unsigned wire, uint8_t control)
    {
        bridge.writeConfiguration(static_cast<uint8_t>(IsaBridge::pirqRouteControl + wire), Width::Byte, control);
    }
};

TEST_F(PciInterruptsTest, SpreadsTheDevicesOverTheWires)
{
    EXPECT_EQ(PciInterrupts::wireOf(1, 0), 0u);
    EXPECT_EQ(PciInterrupts::wireOf(3, 0), 2u);
    EXPECT_EQ(PciInterrupts::wireOf(3, 1), 3u);
    EXPECT_EQ(PciInterrupts::wireOf(4, 1), 0u);
    EXPECT_EQ(PciInterrupts::wireOf(0, 0), 3u);
}

TEST_F(PciInterruptsTest, AssertsAWireWhileAnyPinOnItIs)
{
    IrqLine third(interrupts, PciInterrupts::inputOf(3, 0));
    IrqLine seventh(interrupts, PciInterrupts::inputOf(7, 0)); // on the same wire
    third.raise();
    seventh.raise();
    EXPECT_EQ(wires.rises(2), 1);
    third.lower();
    EXPECT_TRUE(wires.level(2));
    seventh.lower();
    EXPECT_FALSE(wires.level(2));
}

TEST_F(PciInterruptsTest, ReachesNoIrqBeforeItIsRouted)
{
    IrqLine line(interrupts, PciInterrupts::inputOf(3, 0));
    line.raise();
    for (unsigned irq = 0; irq < 16; ++irq)
        EXPECT_EQ(board.interrupts().rises(irq), 0) << irq;
    route(2, 11);
    EXPECT_TRUE(board.interrupts().level(11));
    route(2, 10); // a wire that is asserted moves
    EXPECT_FALSE(board.interrupts().level(11));
    EXPECT_TRUE(board.interrupts().level(10));
    route(2, 0x8a);
    EXPECT_FALSE(board.interrupts().level(10));
}

TEST_F(PciInterruptsTest, SharesAnIrqBetweenWires)
{
    route(2, 11);
    route(3, 11);
    IrqLine one(interrupts, PciInterrupts::inputOf(3, 0));
    IrqLine other(interrupts, PciInterrupts::inputOf(4, 0));
    one.raise();
    other.raise();
    one.lower();
    EXPECT_TRUE(board.interrupts().level(11));
    EXPECT_EQ(board.interrupts().rises(11), 1);
    other.lower();
    EXPECT_FALSE(board.interrupts().level(11));
}

TEST_F(PciInterruptsTest, LeavesReservedIrqsAlone)
{
    IrqLine line(interrupts, PciInterrupts::inputOf(3, 0));
    line.raise();
    for (const unsigned reserved : { 0u, 1u, 2u, 8u, 13u }) {
        route(2, static_cast<uint8_t>(reserved));
        EXPECT_EQ(board.interrupts().rises(reserved), 0) << reserved;
    }
}

TEST_F(PciInterruptsTest, ForgetsItsRoutesAtAResetAndRestoresThem)
{
    IrqLine line(interrupts, PciInterrupts::inputOf(3, 0));
    line.raise();
    route(2, 11);
    const Snapshot snapshot = board.save(bridge);
    bridge.reset();
    EXPECT_FALSE(board.interrupts().level(11));
    ASSERT_TRUE(board.restore(bridge, snapshot));
    EXPECT_TRUE(board.interrupts().level(11));
    EXPECT_FALSE(board.restore(bridge, Snapshot {}));
    EXPECT_TRUE(board.interrupts().level(11));
}

} // namespace namsan
