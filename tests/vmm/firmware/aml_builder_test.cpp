// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/aml_builder.h"

#include <gtest/gtest.h>

namespace namsan {

TEST(AmlBuilder, WritesIntegersAsShortAsTheyCanBe)
{
    EXPECT_EQ(aml::integer(0), (aml::Bytes { 0x00 }));
    EXPECT_EQ(aml::integer(1), (aml::Bytes { 0x01 }));
    EXPECT_EQ(aml::integer(0xff), (aml::Bytes { 0x0a, 0xff }));
    EXPECT_EQ(aml::integer(0x1234), (aml::Bytes { 0x0b, 0x34, 0x12 }));
    EXPECT_EQ(aml::integer(0x12345678), (aml::Bytes { 0x0c, 0x78, 0x56, 0x34, 0x12 }));
}

TEST(AmlBuilder, PadsAndJoinsNames)
{
    EXPECT_EQ(aml::name("\\_S5", aml::integer(0)), (aml::Bytes { 0x08, '\\', '_', 'S', '5', '_', 0 }));
    EXPECT_EQ(
        aml::name("A.BC", aml::integer(1)), (aml::Bytes { 0x08, 0x2e, 'A', '_', '_', '_', 'B', 'C', '_', '_', 1 }));
    const aml::Bytes three = aml::name("A.B.C", aml::integer(1));
    EXPECT_EQ(three[1], 0x2f);
    EXPECT_EQ(three[2], 3);
}

// ACPI 6.5, 19.6.36 gives EISAID("PNP0C09") as 0x090CD041 in a comment of its example.
TEST(AmlBuilder, CompressesEisaIds)
{
    EXPECT_EQ(aml::eisaId("PNP0C09"), (aml::Bytes { 0x0c, 0x41, 0xd0, 0x0c, 0x09 }));
    EXPECT_EQ(aml::eisaId("PNP0A03"), (aml::Bytes { 0x0c, 0x41, 0xd0, 0x0a, 0x03 }));
}

TEST(AmlBuilder, CountsPackageLengthsAsTheyGrow)
{
    // One byte of length up to 63, itself included; then two, of which the first has the low 4 bits.
    const aml::Bytes small = aml::scope("ABCD", { aml::Bytes(58, 0xa3) });
    EXPECT_EQ(small[1], 63);
    EXPECT_EQ(small.size(), 1u + 63);
    const aml::Bytes larger = aml::scope("ABCD", { aml::Bytes(59, 0xa3) });
    EXPECT_EQ(larger[1], 0x40 | (65 & 0xf));
    EXPECT_EQ(larger[2], 65 >> 4);
    const aml::Bytes largest = aml::scope("ABCD", { aml::Bytes(5000, 0xa3) });
    const unsigned length = 5000 + 4 + 3;
    EXPECT_EQ(largest[1], 0x80 | (length & 0xf));
    EXPECT_EQ(largest[2] | largest[3] << 8, static_cast<int>(length >> 4));
    EXPECT_EQ(largest.size(), 1u + length);
}

TEST(AmlBuilder, WritesPackagesAndResources)
{
    EXPECT_EQ(aml::package({ aml::integer(5), aml::integer(0) }), (aml::Bytes { 0x12, 5, 2, 0x0a, 5, 0 }));
    EXPECT_EQ(aml::resources({ aml::ioPorts(0x60, 1), aml::irq(12) }),
        (aml::Bytes { 0x11, 0x10, 0x0a, 0x0d, 0x47, 1, 0x60, 0, 0x60, 0, 1, 1, 0x22, 0x00, 0x10, 0x79, 0 }));
    EXPECT_EQ(aml::ioWindow(0xd00, 0xffff),
        (aml::Bytes { 0x88, 0x0d, 0, 1, 0x0c, 3, 0, 0, 0x00, 0x0d, 0xff, 0xff, 0, 0, 0x00, 0xf3 }));
}

} // namespace namsan
