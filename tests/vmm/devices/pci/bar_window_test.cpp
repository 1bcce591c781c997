// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/pci/bar_window.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {
class Echo final : public MmioHandler, public PortHandler {
public:
    uint64_t mmioRead(PhysicalAddress address, unsigned) override { return address & 0xff; }
    void mmioWrite(PhysicalAddress, unsigned, uint64_t) override { }
    uint32_t portIn(Port port, Width) override { return port; }
    void portOut(Port, Width, uint32_t) override { }
};
} // namespace

class BarWindowTest : public ::testing::Test {
protected:
    BareBoard board;
    Echo echo;
    Echo other;
    MemoryBarWindow memory { board.mmio(), 0x1000, echo };
    IoBarWindow io { board.ports(), 0x20, echo };

    bool answersAt(PhysicalAddress address) { return board.mmio().read(address, 4) != 0xffffffff; }
    bool answersAtPort(Port port) { return board.ports().in(port, Width::Word) == port; }
};

TEST_F(BarWindowTest, IsWhereTheGuestPutItAndNowhereElse)
{
    memory.moveTo(0xf0001000);
    EXPECT_TRUE(answersAt(0xf0001ffc));
    EXPECT_FALSE(answersAt(0xf0000ffc));
    EXPECT_FALSE(answersAt(0xf0002000));
    memory.moveTo(0xfe000000);
    EXPECT_FALSE(answersAt(0xf0001000));
    EXPECT_TRUE(answersAt(0xfe000000));
    memory.moveTo({});
    EXPECT_FALSE(answersAt(0xfe000000));
}

TEST_F(BarWindowTest, StaysClosedOverAnotherOwner)
{
    board.mmio().claim(0xf0001800, 0x10, other);
    memory.moveTo(0xf0001000);
    EXPECT_FALSE(memory.address());
    EXPECT_FALSE(answersAt(0xf0001000));
    memory.moveTo(0xf0002000);
    EXPECT_TRUE(answersAt(0xf0002000));
    memory.moveTo(0xfffff000); // the last page there is
    EXPECT_TRUE(answersAt(0xfffffffc));
}

TEST_F(BarWindowTest, MovesPorts)
{
    io.moveTo(0xc000);
    EXPECT_TRUE(answersAtPort(0xc01e));
    EXPECT_FALSE(answersAtPort(0xc020));
    io.moveTo(0xffe0);
    EXPECT_FALSE(answersAtPort(0xc000));
    EXPECT_TRUE(answersAtPort(0xfffe));
    io.moveTo(0x10000); // no port
    EXPECT_FALSE(io.address());
    EXPECT_FALSE(answersAtPort(0));
    io.moveTo(0xffffffe0);
    EXPECT_FALSE(io.address());
}

TEST_F(BarWindowTest, LeavesAnotherOwnersPortsAlone)
{
    board.ports().claim(0xc010, 0xc010, other);
    io.moveTo(0xc000);
    EXPECT_FALSE(io.address());
    EXPECT_FALSE(answersAtPort(0xc000));
    EXPECT_EQ(board.ports().in(0xc010, Width::Byte), 0x10u);
}

} // namespace namsan
