// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/base/bits.h"
#include "vmm/base/result.h"
#include "vmm/base/scaled_division.h"

#include <gtest/gtest.h>

#include <string>

namespace namsan {

TEST(ScaledDivision, DoesNotOverflowOnTheWay)
{
    constexpr uint64_t century = uint64_t { 100 } * 365 * 86400 * 1'000'000'000;
    EXPECT_EQ(multiplyDivide(century, 3'000'000'000, 1'000'000'000), century * 3);
    EXPECT_EQ(multiplyDivide(7, 10, 3), 23u);
}

TEST(Bits, TakesAndSetsFields)
{
    EXPECT_TRUE(bit(uint8_t { 0x80 }, 7));
    EXPECT_FALSE(bit(uint8_t { 0x80 }, 6));
    EXPECT_EQ(bits(uint32_t { 0xabcd }, 4, 8), 0xbcu);
    EXPECT_EQ(withBit(uint8_t { 0 }, 7, true), 0x80);
    EXPECT_EQ(withBit(uint8_t { 0xff }, 0, false), 0xfe);
    EXPECT_EQ(alignUp(1, 4096), 4096u);
    EXPECT_EQ(alignUp(4096, 4096), 4096u);
    EXPECT_EQ(alignDown(8191, 4096), 4096u);
}

TEST(Result, HoldsAValueOrAReason)
{
    Result<std::string> good(std::string("value"));
    ASSERT_TRUE(good);
    EXPECT_EQ(good->size(), 5u);
    const Result<std::string> bad(Error { "no" });
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error(), Error { "no" });
    EXPECT_TRUE(Result<void>());
    EXPECT_FALSE(Result<void>(Error { "no" }));
}

} // namespace namsan
