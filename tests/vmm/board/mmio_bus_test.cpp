// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/mmio_bus.h"

#include <gtest/gtest.h>

#include <map>

namespace namsan {

namespace {
class ByteStore final : public MmioHandler {
public:
    uint64_t mmioRead(PhysicalAddress address, unsigned size) override
    {
        ++accesses;
        uint64_t value = 0;
        for (unsigned i = 0; i < size; ++i)
            value |= uint64_t { bytes[address + i] } << (8 * i);
        return value | (size < 8 ? uint64_t { 0xee } << 8 * size : 0); // dirt above what was asked for
    }
    void mmioWrite(PhysicalAddress address, unsigned size, uint64_t value) override
    {
        ++accesses;
        for (unsigned i = 0; i < size; ++i)
            bytes[address + i] = static_cast<uint8_t>(value >> (8 * i));
    }

    std::map<PhysicalAddress, uint8_t> bytes;
    int accesses = 0;
};
} // namespace

class MmioBusTest : public ::testing::Test {
protected:
    ByteStore low, high;
    MmioBus bus;

    void SetUp() override
    {
        bus.claim(0xfec00010, 0x10, high);
        bus.claim(0xfec00000, 0x10, low);
    }
};

TEST_F(MmioBusTest, FindsTheOwnerOfEachAddress)
{
    bus.write(0xfec00008, 8, 0x1122334455667788);
    EXPECT_EQ(bus.read(0xfec00008, 8), 0x1122334455667788u);
    EXPECT_EQ(low.accesses, 2);
    EXPECT_EQ(bus.read(0xfec0000c, 2), 0x3344u) << "bits above the access must not leak";
    EXPECT_EQ(high.accesses, 0);
}

TEST_F(MmioBusTest, ReadsAllOnesWhereNobodyLives)
{
    bus.write(0xfec00020, 4, 0);
    EXPECT_EQ(bus.read(0xfec00020, 4), 0xffffffffu);
    EXPECT_EQ(bus.read(0xfebfffff, 1), 0xffu);
    EXPECT_EQ(bus.read(0xfebfffff, 8) & 0xff, 0xffu);
    EXPECT_EQ(bus.read(~PhysicalAddress { 0 } - 3, 8), ~uint64_t { 0 });
}

TEST_F(MmioBusTest, DoesAnAccessOverABorderByteByByte)
{
    bus.write(0xfec0000e, 4, 0xddccbbaa);
    EXPECT_EQ(low.bytes[0xfec0000e], 0xaa);
    EXPECT_EQ(low.bytes[0xfec0000f], 0xbb);
    EXPECT_EQ(high.bytes[0xfec00010], 0xcc);
    EXPECT_EQ(high.bytes[0xfec00011], 0xdd);
    EXPECT_EQ(bus.read(0xfec0000e, 4), 0xddccbbaau);
    EXPECT_EQ(low.accesses, 4);
    EXPECT_EQ(bus.read(0xfec0001e, 4), 0xffff0000u);
}

TEST_F(MmioBusTest, MovesARangeThatIsReleasedAndClaimedElsewhere)
{
    bus.write(0xfec00000, 1, 0x5a);
    bus.release(0xfec00000);
    EXPECT_EQ(bus.read(0xfec00000, 1), 0xffu);
    bus.claim(0xe0000000, 0x10, low);
    bus.write(0xe0000001, 1, 0xa5);
    EXPECT_EQ(low.bytes[0xe0000001], 0xa5);
    EXPECT_EQ(bus.read(0xfec00010, 1), 0u) << "the neighbour stays";
}

} // namespace namsan
