// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/pci/pci_bus.h"

#include "tests/support/bare_board.h"
#include "vmm/devices/acpi/reset_control_port.h"
#include "vmm/devices/pci/host_bridge.h"
#include "vmm/devices/pci/isa_bridge.h"

#include <gtest/gtest.h>

namespace namsan {

class PciBusTest : public ::testing::Test {
protected:
    BareBoard board;
    ResetControlPort resetControl { board.resetLine() };
    PciBus bus { board.ports(), resetControl };
    HostBridge hostBridge;
    IsaBridge isaBridge { board.interrupts() };

    PciBusTest()
    {
        bus.attach(0, 0, hostBridge);
        bus.attach(1, 0, isaBridge);
    }

    void select(uint32_t address) { board.ports().out(0xcf8, Width::Dword, address); }
    uint32_t data(Width width = Width::Dword, Port offset = 0)
    {
        return board.ports().in(static_cast<Port>(0xcfc + offset), width);
    }
};

TEST_F(PciBusTest, FindsItsFunctionsAndNothingElse)
{
    select(0x80000000);
    EXPECT_EQ(data(), 0x12378086u);
    select(0x80000800);
    EXPECT_EQ(data(), 0x70008086u);
    EXPECT_EQ(data(Width::Word, 2), 0x7000u);
    EXPECT_EQ(data(Width::Byte, 3), 0x70u);
    select(0x80000808); // class code and revision
    EXPECT_EQ(data(), 0x06010000u);
    for (const uint32_t nobody : { 0x80000100u, 0x80001000u, 0x8000ff00u, 0x80010000u }) {
        select(nobody);
        EXPECT_EQ(data(), 0xffffffffu);
    }
}

TEST_F(PciBusTest, NeedsTheEnableBit)
{
    select(0);
    EXPECT_EQ(data(), 0xffffffffu);
}

TEST_F(PciBusTest, KeepsTheImplementedBitsOfTheAddress)
{
    select(0xffffffff);
    EXPECT_EQ(board.ports().in(0xcf8, Width::Dword), 0x80fffffcu);
}

TEST_F(PciBusTest, TakesOnlyDwordsAsAddress)
{
    select(0x80000000);
    board.out(0xcf8, 0x44);
    board.ports().out(0xcfa, Width::Word, 0x1234);
    EXPECT_EQ(board.ports().in(0xcf8, Width::Dword), 0x80000000u);
    EXPECT_EQ(board.in(0xcf8), 0xff);
}

TEST_F(PciBusTest, SharesItsAddressWithTheResetControlRegister)
{
    board.out(0xcf9, 0x02);
    EXPECT_EQ(board.in(0xcf9), 0x02);
    EXPECT_EQ(board.resetLine().pulses(), 0);
    board.out(0xcf9, 0x06);
    EXPECT_EQ(board.resetLine().pulses(), 1);
    board.out(0xcf9, 0x06); // no edge
    EXPECT_EQ(board.resetLine().pulses(), 1);
    select(0x80000600); // its second byte is not CF9's
    EXPECT_EQ(board.resetLine().pulses(), 1);
    board.out(0xcf9, 0x00);
    board.out(0xcf9, 0x06);
    EXPECT_EQ(board.resetLine().pulses(), 2);
}

TEST_F(PciBusTest, SurvivesEveryPortAndWidth)
{
    select(0x800000fc);
    for (Port port = 0xcf4; port < 0xd04; ++port) {
        for (const Width width : { Width::Byte, Width::Word, Width::Dword }) {
            board.ports().out(port, width, 0x800000fc);
            board.ports().in(port, width);
        }
    }
    select(0x80000000);
    EXPECT_EQ(data(), 0x12378086u);
}

TEST_F(PciBusTest, StoresTheHostBridgesAttributesAndKeepsItsIdentity)
{
    select(0x80000000);
    board.ports().out(0xcfc, Width::Dword, 0);
    EXPECT_EQ(data(), 0x12378086u);
    select(0x80000058); // DRAMT, PAM0 to PAM2
    EXPECT_EQ(data(), 0x00000010u);
    board.out(0xcfd, 0x30);
    board.out(0xcfe, 0x33);
    EXPECT_EQ(data(), 0x00333010u);
    hostBridge.reset();
    EXPECT_EQ(data(), 0x00000010u);
}

TEST_F(PciBusTest, ComesBackFromASnapshot)
{
    select(0x80000058);
    board.out(0xcfd, 0x30);
    const Snapshot busState = board.save(bus);
    const Snapshot bridgeState = board.save(hostBridge);
    bus.reset();
    hostBridge.reset();
    ASSERT_TRUE(board.restore(bus, busState));
    ASSERT_TRUE(board.restore(hostBridge, bridgeState));
    EXPECT_EQ(data(), 0x00003010u);

    Snapshot foreign = bridgeState;
    foreign[0] = 0x12; // another vendor
    EXPECT_FALSE(board.restore(hostBridge, foreign));
    EXPECT_FALSE(board.restore(bus, Snapshot { 1, 2 }));
    EXPECT_EQ(data(), 0x00003010u);

    board.out(0xcf9, 0x02);
    const Snapshot resetState = board.save(resetControl);
    resetControl.reset();
    EXPECT_EQ(board.in(0xcf9), 0);
    ASSERT_TRUE(board.restore(resetControl, resetState));
    EXPECT_EQ(board.in(0xcf9), 2);
    EXPECT_FALSE(board.restore(resetControl, Snapshot { 0x80 }));
}

} // namespace namsan
