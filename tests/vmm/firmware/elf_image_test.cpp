// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/elf_image.h"

#include "tests/vmm/firmware/kernel_builder.h"

#include <gtest/gtest.h>

#include <random>

namespace namsan {

TEST(ElfImage, FindsItsSegments)
{
    const ElfBuilder builder;
    const Bytes file = builder.build();
    const auto image = ElfImage::parse(file);
    ASSERT_TRUE(image);
    ASSERT_EQ(image->segments.size(), 2u);
    EXPECT_EQ(image->entry, builder.entry);
    EXPECT_EQ(Bytes(image->segments[0].bytes.begin(), image->segments[0].bytes.end()), builder.text);
    EXPECT_EQ(image->segments[1].address, builder.dataAddress);
    EXPECT_EQ(image->segments[1].zeroes, builder.bssSize);
    EXPECT_EQ(image->lowest(), builder.textAddress);
    EXPECT_EQ(image->end(), builder.dataAddress + builder.data.size() + builder.bssSize);
}

TEST(ElfImage, RefusesEveryTruncation)
{
    const Bytes file = ElfBuilder().build();
    for (size_t size = 0; size < file.size(); size += size < 200 ? 1 : 97)
        EXPECT_FALSE(ElfImage::parse(std::span(file).first(size))) << size;
}

TEST(ElfImage, NamesA64BitKernelAsSuch)
{
    Bytes file = ElfBuilder().build();
    file[4] = 2; // EI_CLASS
    const auto image = ElfImage::parse(file);
    ASSERT_FALSE(image);
    EXPECT_NE(image.error().message.find("64-bit"), std::string::npos);
}

TEST(ElfImage, RefusesAnEntryOutsideAndSegmentsThatOverlapOrWrap)
{
    ElfBuilder outside;
    outside.entry = 0x2000000;
    EXPECT_FALSE(ElfImage::parse(outside.build()));

    ElfBuilder overlapping;
    overlapping.dataAddress = overlapping.textAddress + 100;
    EXPECT_FALSE(ElfImage::parse(overlapping.build()));

    ElfBuilder wrapping;
    wrapping.dataAddress = 0xfffffff0;
    EXPECT_FALSE(ElfImage::parse(wrapping.build()));
}

TEST(ElfImage, SurvivesRandomDamage)
{
    const Bytes good = ElfBuilder().build();
    std::mt19937 random(1);
    int refused = 0;
    for (int round = 0; round < 5000; ++round) {
        Bytes file = good;
        for (int i = 0; i < 3; ++i)
            file[random() % 120] = static_cast<uint8_t>(random());
        const auto image = ElfImage::parse(file);
        if (!image) {
            ++refused;
            continue;
        }
        for (const ElfSegment& segment : image->segments) {
            ASSERT_GE(segment.bytes.data(), file.data());
            ASSERT_LE(segment.bytes.data() + segment.bytes.size(), file.data() + file.size());
            ASSERT_LE(segment.end(), uint64_t { 1 } << 32);
        }
    }
    EXPECT_GT(refused, 0);
}

} // namespace namsan
