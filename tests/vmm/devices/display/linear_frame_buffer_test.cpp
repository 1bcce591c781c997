// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/linear_frame_buffer.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

class LinearFrameBufferTest : public ::testing::Test {
protected:
    static constexpr int width = 640, height = 400;
    static constexpr PhysicalAddress base = 0xe0000000;

    BareBoard board;
    GuestMemory::Region region = *board.memory().addTrackedRegion(base, LinearFrameBuffer::sizeFor(width, height));
    LinearFrameBuffer buffer { board.memory(), region, width, height };
    Frame frame;

    LinearFrameBufferTest() { buffer.paint(frame); }

    void poke(int x, int y, uint32_t pixel)
    {
        const std::array<uint8_t, 4> bytes { static_cast<uint8_t>(pixel), static_cast<uint8_t>(pixel >> 8),
            static_cast<uint8_t>(pixel >> 16), static_cast<uint8_t>(pixel >> 24) };
        board.memory().write(base + static_cast<uint64_t>(y * buffer.bytesPerRow() + 4 * x), bytes);
    }
    uint32_t pixel(int x, int y) const { return frame.pixels[static_cast<size_t>(y * width + x)]; }
};

TEST_F(LinearFrameBufferTest, StartsBlackAndWhole)
{
    EXPECT_EQ(frame.width, width);
    EXPECT_EQ(frame.height, height);
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, width, height }));
    EXPECT_EQ(pixel(0, 0), 0xff000000);
    EXPECT_TRUE(frame.text.empty());
}

TEST_F(LinearFrameBufferTest, DamagesExactlyWhatChanged)
{
    poke(3, 5, 0x00123456);
    poke(639, 6, 0xffabcdef);
    buffer.paint(frame);
    EXPECT_EQ(pixel(3, 5), 0xff123456);
    EXPECT_EQ(pixel(639, 6), 0xffabcdef);
    EXPECT_EQ(frame.damage, (PixelRect { 3, 5, 637, 2 }));
    buffer.paint(frame);
    EXPECT_TRUE(frame.damage.empty());
    poke(3, 5, 0x77123456); // the same colour
    buffer.paint(frame);
    EXPECT_TRUE(frame.damage.empty());
}

TEST_F(LinearFrameBufferTest, ShowsItsLastPixel)
{
    poke(width - 1, height - 1, 0x00ffffff);
    buffer.paint(frame);
    EXPECT_EQ(frame.damage, (PixelRect { width - 1, height - 1, 1, 1 }));
}

TEST_F(LinearFrameBufferTest, RoundsItsMemoryUpToPages)
{
    EXPECT_EQ(LinearFrameBuffer::sizeFor(1024, 768), 1024u * 768 * 4);
    EXPECT_EQ(LinearFrameBuffer::sizeFor(321, 200), 257'024u / 4096 * 4096 + 4096);
}

TEST_F(LinearFrameBufferTest, IsBlackAgainAfterReset)
{
    poke(1, 1, 0xffffff);
    buffer.paint(frame);
    buffer.reset();
    buffer.paint(frame);
    EXPECT_EQ(pixel(1, 1), 0xff000000);
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, width, height }));
}

TEST_F(LinearFrameBufferTest, RefusesASnapshotOfAnotherScreen)
{
    const Snapshot snapshot = board.save(buffer);
    EXPECT_TRUE(board.restore(buffer, snapshot));
    buffer.paint(frame);
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, width, height })) << "all may be different";
    Snapshot other = snapshot;
    other[8] ^= 1;
    EXPECT_FALSE(board.restore(buffer, other));
    EXPECT_FALSE(board.restore(buffer, Snapshot {}));
}

} // namespace namsan
