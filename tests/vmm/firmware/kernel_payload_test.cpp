// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/kernel_payload.h"

#include "tests/vmm/firmware/kernel_builder.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace namsan {

// Every packing that is unpacked here.
class KernelPayloadTest : public ::testing::TestWithParam<Bytes (*)(const Bytes&)> {
protected:
    static constexpr uint64_t plenty = 64 << 20;

    const Bytes original = ElfBuilder::patterned(300'000, 5);
    const Bytes packed = GetParam()(original);
};

TEST_P(KernelPayloadTest, ComesBackAsItWas)
{
    const auto unpacked = unpackKernelPayload(packed, plenty);
    ASSERT_TRUE(unpacked) << unpacked.error().message;
    EXPECT_EQ(*unpacked, original);
}

TEST_P(KernelPayloadTest, MayBeJustAsLargeAsThereIsRoomAndOneByteMore)
{
    EXPECT_TRUE(unpackKernelPayload(packed, original.size() + 1));
    const auto unpacked = unpackKernelPayload(packed, original.size() - 1);
    ASSERT_FALSE(unpacked);
    EXPECT_NE(unpacked.error().message.find("more memory"), std::string::npos);
}

TEST_P(KernelPayloadTest, IsRefusedWhenTruncated)
{
    // The last bytes are the size that the kernel's build appends, or a check sum of which all but the end are needed.
    for (size_t size = 0; size + 16 < packed.size(); size += 1 + packed.size() / 50)
        EXPECT_FALSE(unpackKernelPayload(std::span(packed).first(size), plenty)) << size;
}

TEST_P(KernelPayloadTest, SurvivesRandomDamage)
{
    std::mt19937 random(2);
    for (int round = 0; round < 200; ++round) {
        Bytes damaged = packed;
        damaged[6 + random() % (damaged.size() - 6)] ^= static_cast<uint8_t>(1 + random() % 255);
        const auto unpacked = unpackKernelPayload(damaged, 1 << 20);
        if (unpacked)
            EXPECT_LE(unpacked->size(), 1u << 20);
        else
            EXPECT_FALSE(unpacked.error().message.empty());
    }
}

std::string nameOfPacking(const ::testing::TestParamInfo<Bytes (*)(const Bytes&)>& instance)
{
    constexpr std::array names { "Xz", "Gzip", "Zstandard" };
    return names.at(instance.index);
}

INSTANTIATE_TEST_SUITE_P(
    Packings, KernelPayloadTest, ::testing::Values(packXz, packGzip, packZstandard), nameOfPacking);

TEST(KernelPayload, NamesAPackingThatIsNotSupported)
{
    const Bytes lz4 { 0x02, 0x21, 0x4c, 0x18, 0, 0, 0, 0 };
    const auto unpacked = unpackKernelPayload(lz4, 1000);
    ASSERT_FALSE(unpacked);
    EXPECT_NE(unpacked.error().message.find("LZ4"), std::string::npos);
    EXPECT_NE(unpacked.error().message.find("--no-unpack"), std::string::npos);
}

TEST(KernelPayload, RefusesWhatItDoesNotKnow)
{
    EXPECT_FALSE(unpackKernelPayload(Bytes(100, 0x11), 1000));
    EXPECT_FALSE(unpackKernelPayload(Bytes {}, 1000));
}

} // namespace namsan
