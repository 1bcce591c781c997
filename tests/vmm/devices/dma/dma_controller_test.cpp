// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/dma/dma_controller.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

class DmaControllerTest : public ::testing::Test {
protected:
    BareBoard board;
    DmaController dma { board.ports() };

    void writeWord(Port port, uint16_t value)
    {
        board.out(port, static_cast<uint8_t>(value));
        board.out(port, static_cast<uint8_t>(value >> 8));
    }
    uint16_t readWord(Port port)
    {
        const uint8_t low = board.in(port);
        return static_cast<uint16_t>(low | board.in(port) << 8);
    }
};

TEST_F(DmaControllerTest, KeepsAddressesAndCountsOfEachChannel)
{
    for (Port port = 0; port < 8; ++port) {
        writeWord(port, static_cast<uint16_t>(0x1234 + port));
        writeWord(static_cast<Port>(0xc0 + 2 * port), static_cast<uint16_t>(0x5678 + port));
    }
    for (Port port = 0; port < 8; ++port) {
        EXPECT_EQ(readWord(port), 0x1234 + port);
        EXPECT_EQ(readWord(static_cast<Port>(0xc0 + 2 * port)), 0x5678 + port);
    }
    EXPECT_EQ(dma.byteChannels().channel(2).baseAddress, 0x1238);
    EXPECT_EQ(dma.byteChannels().channel(2).baseCount, 0x1239);
}

TEST_F(DmaControllerTest, StartsWithTheLowByteAfterTheFlipFlopIsCleared)
{
    board.out(0x00, 0xaa); // the next byte would be the high one
    board.out(0x0c, 0);
    writeWord(0x00, 0xbeef);
    board.in(0x00);
    board.out(0x0c, 0xff);
    EXPECT_EQ(readWord(0x00), 0xbeef);
    board.out(0xc0, 0x11);
    EXPECT_EQ(readWord(0x00), 0xbeef) << "each chip has its own flip-flop";
}

TEST_F(DmaControllerTest, MasksChannelsOneByOneAndTogether)
{
    EXPECT_EQ(board.in(0x0f), 0xff) << "all are masked after a reset";
    board.out(0x0a, 0x02);
    EXPECT_EQ(board.in(0x0f), 0xfb);
    board.out(0x0a, 0x06);
    EXPECT_EQ(board.in(0x0f), 0xff);
    board.out(0x0e, 0);
    EXPECT_EQ(board.in(0x0f), 0xf0);
    board.out(0xde, 0x05);
    EXPECT_EQ(board.in(0xde), 0xf5);
    EXPECT_EQ(board.in(0x0f), 0xf0);
}

TEST_F(DmaControllerTest, KeepsTheModeOfTheChannelThatIsNamedInIt)
{
    board.out(0x0b, 0x46);
    board.out(0xd6, 0xc0);
    EXPECT_EQ(dma.byteChannels().mode(2), 0x44);
    EXPECT_EQ(dma.byteChannels().mode(0), 0);
    EXPECT_EQ(dma.wordChannels().mode(0), 0xc0);
}

TEST_F(DmaControllerTest, MasterClearLeavesAddressesAndMasksAll)
{
    writeWord(0x02, 0x4321);
    board.out(0x08, 0x10);
    board.out(0x0e, 0);
    board.out(0x02, 0);
    board.out(0x0d, 0);
    EXPECT_EQ(board.in(0x0f), 0xff);
    EXPECT_EQ(board.in(0x08), 0);
    EXPECT_EQ(board.in(0x0d), 0);
    EXPECT_EQ(dma.byteChannels().command(), 0);
    EXPECT_EQ(readWord(0x02), 0x4300);
}

TEST_F(DmaControllerTest, ReadsAllOnesWhereThereIsNothingToRead)
{
    for (const Port port : std::initializer_list<Port> { 0x09, 0x0a, 0x0b, 0x0c, 0x0e, 0xd2, 0xd8 })
        EXPECT_EQ(board.in(port), 0xff) << port;
}

TEST_F(DmaControllerTest, KeepsAllPageRegistersButThePostCodePorts)
{
    for (Port port = 0x81; port <= 0x8f; ++port)
        board.out(port, static_cast<uint8_t>(port ^ 0x55));
    for (Port port = 0x81; port <= 0x8f; ++port)
        EXPECT_EQ(board.in(port), static_cast<uint8_t>(port ^ 0x55));
    board.out(0x80, 1);
    EXPECT_EQ(board.in(0x80), 0xff);
}

TEST_F(DmaControllerTest, ComesBackFromASnapshot)
{
    const Snapshot fresh = board.save(dma);
    writeWord(0x04, 0x1111);
    writeWord(0xc6, 0x2222);
    board.out(0x83, 0x33);
    board.out(0x0b, 0x47);
    const Snapshot snapshot = board.save(dma);
    dma.reset();
    EXPECT_EQ(board.save(dma), fresh);
    ASSERT_TRUE(board.restore(dma, snapshot));
    EXPECT_EQ(readWord(0x04), 0x1111);
    EXPECT_EQ(readWord(0xc6), 0x2222);
    EXPECT_EQ(board.in(0x83), 0x33);
    EXPECT_EQ(dma.byteChannels().mode(3), 0x44);
}

TEST_F(DmaControllerTest, RefusesDamagedSnapshotsAndKeepsItsState)
{
    board.out(0x83, 0x33);
    const Snapshot snapshot = board.save(dma);
    for (size_t length = 0; length < snapshot.size(); ++length)
        EXPECT_FALSE(board.restore(dma, Snapshot(snapshot.begin(), snapshot.begin() + static_cast<long>(length))));
    Snapshot damaged = snapshot;
    damaged[4 * sizeof(Dma8237::Channel)] = 1; // a mode register with a channel number
    EXPECT_FALSE(board.restore(dma, damaged));
    EXPECT_EQ(board.save(dma), snapshot);
}

} // namespace namsan
