// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/interrupt/io_apic.h"

#include "tests/support/bare_board.h"
#include "vmm/devices/interrupt/interrupt_fan_out.h"
#include "vmm/devices/pci/isa_bridge.h"

#include <gtest/gtest.h>

#include <span>

namespace namsan {

namespace {

class Received final : public InterruptMessageSink {
public:
    bool send(const InterruptMessage& message) override
    {
        messages.push_back(message);
        return accepts;
    }
    bool accepts = true;
    std::vector<InterruptMessage> messages;
};

} // namespace

class IoApicTest : public ::testing::Test {
protected:
    IoApicTest() { ioApic.connect(&received); }

    uint32_t read(uint8_t number)
    {
        ioApic.mmioWrite(IoApic::address, 4, number);
        return static_cast<uint32_t>(ioApic.mmioRead(IoApic::address + 0x10, 4));
    }
    void write(uint8_t number, uint32_t value)
    {
        ioApic.mmioWrite(IoApic::address, 4, number);
        ioApic.mmioWrite(IoApic::address + 0x10, 4, value);
    }
    void setEntry(unsigned input, uint32_t low, uint8_t destination)
    {
        write(static_cast<uint8_t>(0x11 + 2 * input), uint32_t { destination } << 24);
        write(static_cast<uint8_t>(0x10 + 2 * input), low);
    }

    static constexpr uint32_t level = 1 << 15, masked = 1 << 16, activeLow = 1 << 13, remoteRequest = 1 << 14;

    MmioBus mmio;
    IoApic ioApic { mmio };
    Received received;
};

TEST_F(IoApicTest, BeginsMasked)
{
    EXPECT_EQ(read(0x01), 0x00170011u);
    for (unsigned input = 0; input < IoApic::inputs; ++input) {
        EXPECT_EQ(read(static_cast<uint8_t>(0x10 + 2 * input)), masked);
        ioApic.setInterruptInput(input, true);
    }
    EXPECT_TRUE(received.messages.empty());
}

TEST_F(IoApicTest, AnEdgeIsOneMessage)
{
    setEntry(4, 0x34 | 1 << 11 | 1 << 8, 0x0f);
    ioApic.setInterruptInput(4, true);
    ioApic.setInterruptInput(4, true);
    ioApic.setInterruptInput(4, false);
    ASSERT_EQ(received.messages.size(), 1u);
    const InterruptMessage wanted {
        .destination = 0x0f, .logical = true, .mode = DeliveryMode::LowestPriority, .vector = 0x34
    };
    EXPECT_EQ(received.messages[0], wanted);
}

TEST_F(IoApicTest, AMaskedEdgeIsLost)
{
    setEntry(4, 0x34 | masked, 0);
    ioApic.setInterruptInput(4, true);
    setEntry(4, 0x34, 0);
    EXPECT_TRUE(received.messages.empty());
}

TEST_F(IoApicTest, ALevelAsksAgainAfterItsEnd)
{
    setEntry(9, 0x41 | level, 0);
    ioApic.setInterruptInput(9, true);
    EXPECT_EQ(received.messages.size(), 1u);
    EXPECT_TRUE(read(0x10 + 2 * 9) & remoteRequest);
    ioApic.endOfInterrupt(0x42); // somebody else's
    EXPECT_EQ(received.messages.size(), 1u);
    ioApic.endOfInterrupt(0x41);
    EXPECT_EQ(received.messages.size(), 2u);
    ioApic.setInterruptInput(9, false);
    ioApic.endOfInterrupt(0x41);
    EXPECT_EQ(received.messages.size(), 2u);
    EXPECT_FALSE(read(0x10 + 2 * 9) & remoteRequest);
}

TEST_F(IoApicTest, AMaskedLevelWaits)
{
    setEntry(9, 0x41 | level | masked, 0);
    ioApic.setInterruptInput(9, true);
    EXPECT_TRUE(received.messages.empty());
    setEntry(9, 0x41 | level, 0);
    EXPECT_EQ(received.messages.size(), 1u);
}

TEST_F(IoApicTest, ActiveLowTurnsTheInputRound)
{
    ioApic.setInterruptInput(17, true);
    setEntry(17, 0x51 | level | activeLow, 0);
    EXPECT_TRUE(received.messages.empty());
    ioApic.setInterruptInput(17, false);
    EXPECT_EQ(received.messages.size(), 1u);
}

TEST_F(IoApicTest, ALevelThatNobodyTookIsNotInService)
{
    received.accepts = false;
    setEntry(9, 0x41 | level, 200);
    ioApic.setInterruptInput(9, true);
    EXPECT_FALSE(read(0x10 + 2 * 9) & remoteRequest);
}

TEST_F(IoApicTest, BecomingAnEdgeForgetsTheRemoteRequest)
{
    setEntry(9, 0x41 | level, 0);
    ioApic.setInterruptInput(9, true);
    setEntry(9, 0x41, 0);
    EXPECT_FALSE(read(0x10 + 2 * 9) & remoteRequest);
}

TEST_F(IoApicTest, ReservedBitsAndRegistersHoldNothing)
{
    write(0x10, 0xffffffff);
    EXPECT_EQ(read(0x10), 0x0001afffu);
    write(0x11, 0xffffffff);
    EXPECT_EQ(read(0x11), 0xff000000u);
    write(0x00, 0xffffffff);
    EXPECT_EQ(read(0x00), 0x0f000000u);
    write(0x77, 1);
    EXPECT_EQ(read(0x77), 0u);
}

TEST_F(IoApicTest, ComesBackFromASnapshot)
{
    setEntry(9, 0x41 | level, 3);
    ioApic.setInterruptInput(9, true);
    Snapshot snapshot;
    StateWriter writer(snapshot);
    ioApic.save(writer);
    ioApic.reset();
    EXPECT_EQ(read(0x10 + 2 * 9), masked);
    StateReader reader(snapshot);
    ASSERT_TRUE(ioApic.restore(reader));
    EXPECT_EQ(read(0x10 + 2 * 9), 0x41 | level | remoteRequest);
    EXPECT_EQ(read(0x11 + 2 * 9), 3u << 24);
}

TEST_F(IoApicTest, RefusesImpossibleSnapshotsAndKeepsItsState)
{
    setEntry(9, 0x41, 3);
    Snapshot snapshot;
    StateWriter writer(snapshot);
    ioApic.save(writer);
    snapshot.back() = 0;
    snapshot[3] = 0xff; // inputs that are not there
    StateReader reader(snapshot);
    EXPECT_FALSE(ioApic.restore(reader));
    StateReader shortReader { std::span<const uint8_t>(snapshot).first(10) };
    EXPECT_FALSE(ioApic.restore(shortReader));
    EXPECT_EQ(read(0x10 + 2 * 9), 0x41u);
}

TEST_F(IoApicTest, TheTimersWireEndsAtInput2)
{
    struct Nothing final : InterruptSink {
        void setInterruptInput(unsigned, bool) override { }
    } pic;
    IsaInterrupts wires(pic, ioApic);
    setEntry(2, 0x30, 0);
    setEntry(1, 0x31, 0);
    wires.setInterruptInput(0, true);
    wires.setInterruptInput(1, true);
    ASSERT_EQ(received.messages.size(), 2u);
    EXPECT_EQ(received.messages[0].vector, 0x30);
    EXPECT_EQ(received.messages[1].vector, 0x31);
}

TEST_F(IoApicTest, PciDevicesShareTheirWires)
{
    IoApicPciInputs inputs(ioApic);
    PciInterrupts wires;
    wires.connect(inputs);
    setEntry(IoApicPciInputs::inputOf(3, 0), 0x51 | level | activeLow, 0);
    IrqLine first(wires, PciInterrupts::inputOf(3, 0));
    IrqLine second(wires, PciInterrupts::inputOf(7, 0)); // the same wire
    IrqLine third(wires, PciInterrupts::inputOf(4, 0)); // another one
    EXPECT_TRUE(received.messages.empty());
    first.raise();
    second.raise();
    third.raise();
    EXPECT_EQ(received.messages.size(), 1u);
    first.lower();
    ioApic.endOfInterrupt(0x51);
    EXPECT_EQ(received.messages.size(), 2u);
    second.lower();
    ioApic.endOfInterrupt(0x51);
    EXPECT_EQ(received.messages.size(), 2u);
}

// Each PCI wire has an input of its own there, whatever the ISA bridge makes of it; and the IRQ that the bridge makes
// arrives at both controllers, as the MP table of SeaBIOS has it.
TEST_F(IoApicTest, RoutedPciWiresArriveAsIrqsToo)
{
    struct Pic final : InterruptSink {
        void setInterruptInput(unsigned irq, bool level) override { levels[irq] = level; }
        bool levels[16] {};
    } pic;
    IsaInterrupts isa(pic, ioApic);
    IsaBridge bridge(isa);
    IoApicPciInputs inputs(ioApic);
    PciInterrupts wires;
    wires.connect(inputs);
    wires.connect(bridge);
    const unsigned wire = PciInterrupts::wireOf(3, 0);
    bridge.writeConfiguration(static_cast<uint8_t>(IsaBridge::pirqRouteControl + wire), Width::Byte, 11);
    setEntry(11, 0x61 | level, 0);
    IrqLine device(wires, PciInterrupts::inputOf(3, 0));
    device.raise();
    EXPECT_TRUE(pic.levels[11]);
    ASSERT_EQ(received.messages.size(), 1u);
    EXPECT_EQ(received.messages[0].vector, 0x61);
    device.lower();
    EXPECT_FALSE(pic.levels[11]);
    ioApic.endOfInterrupt(0x61);
    EXPECT_EQ(received.messages.size(), 1u);
}

} // namespace namsan
