// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_memory.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {
constexpr uint64_t mebibyte = 1 << 20;

std::unique_ptr<GuestMemory> memoryOf(uint64_t size)
{
    return std::move(*GuestMemory::create(size));
}
} // namespace

TEST(MemorySlots, AreTheRegionsWhileTheGateIsOpen)
{
    const auto memory = memoryOf(4 * mebibyte);
    ASSERT_TRUE(memory->addTrackedRegion(0xe0000000, 0x10000));
    const std::vector<MemorySlot> wanted {
        { 0, 0, 0xa0000, false, false },
        { 0xc0000, 0xc0000, 4 * mebibyte - 0xc0000, false, false },
        { 0xe0000000, 0xe0000000, 0x10000, true, false },
    };
    EXPECT_EQ(planSlots(*memory, true), wanted);
}

TEST(MemorySlots, AreCutWhereMemoryIsReadOnly)
{
    const auto memory = memoryOf(mebibyte);
    for (PhysicalAddress page = 0xe0000; page < 0xf0000; page += GuestMemory::pageSize)
        memory->setFlag(page, GuestMemory::ReadOnly);
    const std::vector<MemorySlot> wanted {
        { 0, 0, 0xa0000, false, false },
        { 0xc0000, 0xc0000, 0x20000, false, false },
        { 0xe0000, 0xe0000, 0x10000, false, true },
        { 0xf0000, 0xf0000, 0x10000, false, false },
    };
    EXPECT_EQ(planSlots(*memory, true), wanted);
}

TEST(MemorySlots, ShowEachEvenMebibyteTwiceWhileTheGateIsClosed)
{
    const auto memory = memoryOf(4 * mebibyte);
    const std::vector<MemorySlot> wanted {
        { 0, 0, 0xa0000, false, false },
        { 0xc0000, 0xc0000, 0x40000, false, false },
        { mebibyte, 0, 0xa0000, false, false },
        { mebibyte + 0xc0000, 0xc0000, 0x40000, false, false },
        { 2 * mebibyte, 2 * mebibyte, mebibyte, false, false },
        { 3 * mebibyte, 2 * mebibyte, mebibyte, false, false },
    };
    EXPECT_EQ(planSlots(*memory, false), wanted);
}

} // namespace namsan
