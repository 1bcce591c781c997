// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/pci_setup.h"

#include "tests/support/bare_board.h"
#include "vmm/devices/acpi/reset_control_port.h"
#include "vmm/devices/interrupt/dual_pic.h"
#include "vmm/devices/pci/host_bridge.h"
#include "vmm/devices/pci/isa_bridge.h"
#include "vmm/devices/pci/pci_bus.h"
#include "vmm/devices/pci/pci_configuration_space.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {
// A function with BARs and a pin, and nothing behind them.
class Plain final : public PciFunction {
public:
    PciConfigurationSpace space { 0x1234, 0x5678, 0x020000, 0 };

    explicit Plain(uint8_t pin)
    {
        space.setByte(pci::interruptPin, pin);
        space.setWritable(pci::interruptLine, 0xff);
    }
    uint32_t readConfiguration(uint8_t offset, Width width) override { return space.read(offset, width); }
    void writeConfiguration(uint8_t offset, Width width, uint32_t value) override { space.write(offset, width, value); }
};
} // namespace

class PciSetupTest : public ::testing::Test {
protected:
    BareBoard board;
    DualPic pic { board.ports(), board.interrupts() };
    ResetControlPort resetControl { board.resetLine() };
    PciBus bus { board.ports(), resetControl };
    HostBridge hostBridge;
    IsaBridge isaBridge { pic };

    PciSetupTest()
    {
        bus.attach(0, 0, hostBridge);
        bus.attach(1, 0, isaBridge);
    }
    uint8_t route(unsigned wire)
    {
        return static_cast<uint8_t>(
            isaBridge.readConfiguration(static_cast<uint8_t>(IsaBridge::pirqRouteControl + wire), Width::Byte));
    }
};

TEST_F(PciSetupTest, LeavesABoardWithoutDevicesAsItWas)
{
    const Snapshot before = board.save(isaBridge);
    setUpPciDevices(board.ports());
    EXPECT_EQ(board.save(isaBridge), before);
    EXPECT_EQ(board.in(0x4d1), 0);
    EXPECT_EQ(board.ports().in(PciBus::addressPort, Width::Dword), 0u);
}

TEST_F(PciSetupTest, PlacesEveryBarApartAndAligned)
{
    Plain first(1);
    first.space.addMemoryBar(0, 0x4000, false);
    first.space.addIoBar(1, 0x20);
    Plain second(0);
    second.space.addMemoryBar(2, 0x1000000, true);
    second.space.addMemoryBar(3, 0x1000, false);
    bus.attach(3, 0, first);
    bus.attach(5, 0, second);
    setUpPciDevices(board.ports());

    EXPECT_EQ(first.space.barAddress(0), 0xf0000000u);
    EXPECT_EQ(first.space.barAddress(1), 0xc000u);
    EXPECT_EQ(second.space.barAddress(2), 0xf1000000u);
    EXPECT_EQ(second.space.barAddress(3), 0xf2000000u);
}

TEST_F(PciSetupTest, RoutesInterruptsLevelTriggered)
{
    Plain third(1);
    Plain fourth(2);
    bus.attach(3, 0, third);
    bus.attach(4, 0, fourth);
    setUpPciDevices(board.ports());
    EXPECT_EQ(third.space.byte(pci::interruptLine), 11); // PIRQC#
    EXPECT_EQ(fourth.space.byte(pci::interruptLine), 10); // PIRQA#
    EXPECT_EQ(route(0), 10);
    EXPECT_EQ(route(2), 11);
    EXPECT_EQ(board.in(0x4d1), 0b1100);
}

TEST_F(PciSetupTest, LeavesABarOutForWhichThereIsNoRoom)
{
    Plain large(0);
    large.space.addMemoryBar(0, 0x20000000, false); // 512 MiB
    large.space.addMemoryBar(1, 0x1000, false);
    bus.attach(3, 0, large);
    setUpPciDevices(board.ports());
    EXPECT_FALSE(large.space.barAddress(0));
    EXPECT_EQ(large.space.barAddress(1), 0xf0000000u);
}

} // namespace namsan
