// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/port_bus.h"

#include <gtest/gtest.h>

#include <vector>

namespace namsan {

namespace {
struct Cycle {
    Port port;
    Width width;
    uint32_t value;
    bool operator==(const Cycle&) const = default;
};

// Answers with the port's low byte in each byte of the result and remembers writes.
class RecordingHandler final : public PortHandler {
public:
    uint32_t portIn(Port port, Width width) override
    {
        reads.push_back({ port, width, 0 });
        uint32_t value = 0;
        for (unsigned i = 0; i < 4; ++i)
            value |= static_cast<uint32_t>((port + i) & 0xff) << (8 * i);
        return value;
    }
    void portOut(Port port, Width width, uint32_t value) override { writes.push_back({ port, width, value }); }

    std::vector<Cycle> reads;
    std::vector<Cycle> writes;
};
} // namespace

class PortBusTest : public ::testing::Test {
protected:
    RecordingHandler first, second;
    PortBus bus;
};

TEST_F(PortBusTest, FloatsHighWhereNobodyLives)
{
    EXPECT_EQ(bus.in(0x300, Width::Byte), 0xffu);
    EXPECT_EQ(bus.in(0x300, Width::Word), 0xffffu);
    EXPECT_EQ(bus.in(0x300, Width::Dword), 0xffffffffu);
    bus.out(0x300, Width::Dword, 0x12345678);
    EXPECT_EQ(bus.in(0xffff, Width::Dword), 0xffffffffu);
}

TEST_F(PortBusTest, CutsAnAccessIntoCyclesThatItsOwnerTakesLowestFirst)
{
    bus.claim(0x40, 0x43, first);
    bus.out(0x40, Width::Dword, 0x44332211);
    const std::vector<Cycle> bytes { { 0x40, Width::Byte, 0x11 }, { 0x41, Width::Byte, 0x22 },
        { 0x42, Width::Byte, 0x33 }, { 0x43, Width::Byte, 0x44 } };
    EXPECT_EQ(first.writes, bytes);
    EXPECT_EQ(bus.in(0x40, Width::Dword), 0x43424140u);
}

TEST_F(PortBusTest, GivesAWideAccessInOnePieceToAnOwnerThatTakesIt)
{
    bus.claim(0xcf8, 0xcff, first, Width::Dword);
    bus.out(0xcf8, Width::Dword, 0x80000000);
    bus.out(0xcf9, Width::Byte, 0xfff06);
    const std::vector<Cycle> whole { { 0xcf8, Width::Dword, 0x80000000 }, { 0xcf9, Width::Byte, 0x06 } };
    EXPECT_EQ(first.writes, whole);
}

TEST_F(PortBusTest, SplitsAnAccessBetweenNeighbours)
{
    bus.claim(0x60, 0x60, first, Width::Word);
    bus.claim(0x61, 0x61, second);
    bus.out(0x60, Width::Word, 0xbbaa);
    EXPECT_EQ(first.writes, (std::vector<Cycle> { { 0x60, Width::Byte, 0xaa } }));
    EXPECT_EQ(second.writes, (std::vector<Cycle> { { 0x61, Width::Byte, 0xbb } }));
    EXPECT_EQ(bus.in(0x61, Width::Word), 0xff61u) << "the second byte belongs to nobody";
}

TEST_F(PortBusTest, ForgetsAnOwnerThatReleasesItsPorts)
{
    bus.claim(0x80, 0x8f, first);
    bus.release(0x80, 0x87);
    bus.claim(0x80, 0x83, second);
    EXPECT_EQ(bus.in(0x84, Width::Byte), 0xffu);
    EXPECT_EQ(bus.in(0x88, Width::Byte), 0x88u);
    bus.out(0x80, Width::Byte, 1);
    EXPECT_TRUE(first.writes.empty());
    EXPECT_EQ(second.writes.size(), 1u);
}

TEST_F(PortBusTest, WrapsAtTheEndOfTheAddressSpace)
{
    bus.claim(0xffff, first);
    bus.claim(0x0000, second);
    EXPECT_EQ(bus.in(0xffff, Width::Word), 0x00ffu);
}

} // namespace namsan
