// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/guarded_memory.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <unistd.h>

namespace namsan {

TEST(GuardedMemory, LetsNothingBesideAPageBeTouched)
{
    const auto memory = std::move(*GuestMemory::create(2 << 20));
    std::array<int, 2> ends {}; // a pipe, into which the kernel copies only what can be touched
    ASSERT_EQ(pipe(ends.data()), 0);
    for (const auto means : { GuardedMemory::Means::GuardPages, GuardedMemory::Means::UserFault }) {
        auto guarded = GuardedMemory::create(*memory, means);
        if (!guarded) {
            EXPECT_FALSE(guarded.error().message.empty());
            continue;
        }
        for (const uint32_t physical : { 0x1000u, 0x2000u, 0x9f000u, 0x1ff000u }) {
            ASSERT_TRUE((*guarded)->enter(physical));
            *memory->pageHost(physical) = 0x5a;
            uint8_t* place = (*guarded)->place(physical);
            EXPECT_EQ(*place, 0x5a);
            place[4095] = 0xa5;
            EXPECT_EQ(memory->pageHost(physical)[4095], 0xa5);
            EXPECT_EQ(write(ends[1], place + 4095, 1), 1);
            EXPECT_EQ(write(ends[1], place + 4096, 1), -1) << physical;
            EXPECT_EQ(errno, EFAULT);
            EXPECT_EQ(write(ends[1], place - 1, 1), -1) << physical;
            EXPECT_EQ(errno, EFAULT);
        }
        EXPECT_FALSE((*guarded)->enter(0xa0000));
        EXPECT_FALSE((*guarded)->enter(0x200000));
    }
    close(ends[0]);
    close(ends[1]);
}

} // namespace namsan
