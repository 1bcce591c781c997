// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/page_walk.h"

#include "vmm/engine/cpu_state.h"

#include <gtest/gtest.h>

#include <cstring>

namespace namsan {

namespace {

constexpr uint32_t directory = 0x10000;
constexpr uint32_t table = 0x11000;
constexpr uint32_t linear = 0x00803123; // directory entry 2, table entry 3
constexpr uint32_t directoryEntry = directory + 4 * 2;
constexpr uint32_t tableEntry = table + 4 * 3;

constexpr uint32_t present = 1;
constexpr uint32_t writable = 2;
constexpr uint32_t user = 4;
constexpr uint32_t accessed = 0x20;
constexpr uint32_t dirty = 0x40;
constexpr uint32_t large = 0x80;
constexpr uint32_t global = 0x100;

constexpr PageAccess supervisorRead { false, false };
constexpr PageAccess supervisorWrite { true, false };
constexpr PageAccess userRead { false, true };
constexpr PageAccess userWrite { true, true };

} // namespace

class PageWalkTest : public ::testing::Test {
protected:
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(2 << 20));
    PageWalk walk { *memory };
    PageWalk::Control control { cr0::paging | cr0::protectionEnable, directory,
        cr4::pageSizeExtensions | cr4::pageGlobalEnable };

    void put(uint32_t address, uint32_t value) { std::memcpy(memory->host(address), &value, sizeof value); }
    uint32_t get(uint32_t address) const
    {
        uint32_t value;
        std::memcpy(&value, memory->host(address), sizeof value);
        return value;
    }
    void map(uint32_t directoryRights, uint32_t tableRights)
    {
        put(directoryEntry, table | directoryRights);
        put(tableEntry, 0x00045000 | tableRights);
    }
    PageWalkResult go(PageAccess access) { return walk.walk(control, linear, access); }
};

TEST_F(PageWalkTest, FindsAPageThroughBothLevels)
{
    map(present | writable | user, present | writable | user);
    const PageWalkResult result = go(userRead);
    ASSERT_FALSE(result.errorCode);
    EXPECT_EQ(result.translation.physicalPage, 0x45000u);
    EXPECT_FALSE(result.translation.global);
    EXPECT_FALSE(result.translation.large);
}

TEST_F(PageWalkTest, TellsThatAnEntryIsNotPresent)
{
    map(0, present);
    EXPECT_EQ(go(supervisorRead).errorCode, 0u);
    EXPECT_EQ(go(userWrite).errorCode, page_fault::write | page_fault::user);
    map(present | writable | user, 0);
    EXPECT_EQ(go(supervisorWrite).errorCode, page_fault::write);
    EXPECT_EQ(go(userRead).errorCode, page_fault::user);
}

TEST_F(PageWalkTest, KeepsUsersOutOfSupervisorPagesOfEitherLevel)
{
    map(present | writable, present | writable | user);
    EXPECT_EQ(go(userRead).errorCode, page_fault::present | page_fault::user);
    map(present | writable | user, present | writable);
    EXPECT_EQ(go(userWrite).errorCode, page_fault::present | page_fault::user | page_fault::write);
    EXPECT_FALSE(go(supervisorWrite).errorCode);
}

TEST_F(PageWalkTest, KeepsUsersFromWritingReadOnlyPagesOfEitherLevel)
{
    map(present | user, present | writable | user);
    EXPECT_EQ(go(userWrite).errorCode, page_fault::present | page_fault::user | page_fault::write);
    map(present | writable | user, present | user);
    EXPECT_EQ(go(userWrite).errorCode, page_fault::present | page_fault::user | page_fault::write);
    EXPECT_FALSE(go(userRead).errorCode);
}

TEST_F(PageWalkTest, LetsTheSupervisorWriteReadOnlyPagesUnlessWriteProtectIsSet)
{
    map(present | user, present | user);
    EXPECT_FALSE(go(supervisorWrite).errorCode);
    control.cr0 |= cr0::writeProtect;
    EXPECT_EQ(go(supervisorWrite).errorCode, page_fault::present | page_fault::write);
    EXPECT_FALSE(go(supervisorRead).errorCode);
}

TEST_F(PageWalkTest, SetsAccessedOnReadsAndDirtyOnWrites)
{
    map(present | writable, present | writable);
    EXPECT_FALSE(go(supervisorRead).translation.writable) << "the dirty bit is not set yet";
    EXPECT_EQ(get(directoryEntry), table | present | writable | accessed);
    EXPECT_EQ(get(tableEntry), 0x45000u | present | writable | accessed);

    EXPECT_TRUE(go(supervisorWrite).translation.writable);
    EXPECT_EQ(get(directoryEntry), table | present | writable | accessed);
    EXPECT_EQ(get(tableEntry), 0x45000u | present | writable | accessed | dirty);
    EXPECT_TRUE(go(supervisorRead).translation.writable) << "the dirty bit is set already";
}

TEST_F(PageWalkTest, SetsNothingWhereTheAccessFaults)
{
    map(present | writable | user, present);
    go(userRead);
    EXPECT_EQ(get(directoryEntry), table | present | writable | user);
    EXPECT_EQ(get(tableEntry), 0x45000u | present);
}

TEST_F(PageWalkTest, FindsLargePagesAndSetsTheirBitsInTheDirectory)
{
    put(directoryEntry, 0x01400000 | present | writable | large);
    const PageWalkResult result = go(supervisorWrite);
    ASSERT_FALSE(result.errorCode);
    EXPECT_EQ(result.translation.physicalPage, 0x01403000u);
    EXPECT_TRUE(result.translation.large);
    EXPECT_EQ(get(directoryEntry), 0x01400000u | present | writable | large | accessed | dirty);
}

TEST_F(PageWalkTest, ChecksTheRightsOfLargePages)
{
    put(directoryEntry, 0x01400000 | present | large);
    EXPECT_EQ(go(userRead).errorCode, page_fault::present | page_fault::user);
    EXPECT_FALSE(go(supervisorWrite).errorCode);
    control.cr0 |= cr0::writeProtect;
    EXPECT_EQ(go(supervisorWrite).errorCode, page_fault::present | page_fault::write);
}

TEST_F(PageWalkTest, FaultsOnReservedBitsOfLargePages)
{
    put(directoryEntry, 0x01400000 | 1 << 13 | present | writable | large);
    EXPECT_EQ(go(supervisorRead).errorCode, page_fault::present | page_fault::reservedBit);
    put(directoryEntry, 0x01400000 | 1 << 12 | present | writable | large); // PAT
    EXPECT_FALSE(go(supervisorRead).errorCode);
}

TEST_F(PageWalkTest, TakesTheSizeBitAsAnyOtherWithoutPageSizeExtensions)
{
    control.cr4 = 0;
    map(present | large, present);
    EXPECT_EQ(go(supervisorRead).translation.physicalPage, 0x45000u);
}

TEST_F(PageWalkTest, MarksGlobalPagesOnlyWhereGlobalPagesAreEnabled)
{
    map(present, present | global);
    EXPECT_TRUE(go(supervisorRead).translation.global);
    control.cr4 = 0;
    EXPECT_FALSE(go(supervisorRead).translation.global);
}

TEST_F(PageWalkTest, ReadsTablesThatAreNoMemoryAsAllOnes)
{
    control.cr4 = 0;
    control.cr3 = 0xe0000000;
    EXPECT_EQ(go(userWrite).translation.physicalPage, 0xfffff000u);
    control.cr4 = cr4::pageSizeExtensions;
    EXPECT_EQ(go(userRead).errorCode, page_fault::present | page_fault::reservedBit | page_fault::user)
        << "all ones are a large page with reserved bits";
}

TEST_F(PageWalkTest, LeavesTablesInReadOnlyMemoryAsTheyAre)
{
    map(present | writable, present | writable);
    memory->setFlag(table, GuestMemory::ReadOnly);
    EXPECT_FALSE(go(supervisorWrite).errorCode);
    EXPECT_EQ(get(tableEntry), 0x45000u | present | writable);
}

TEST_F(PageWalkTest, AppliesTheA20MaskToTablesAndPages)
{
    walk.setAddressMask(~0x100000u);
    control.cr3 = directory | 0x100000;
    put(directoryEntry, table | 0x100000 | present);
    put(tableEntry, 0x00145000 | present);
    EXPECT_EQ(go(supervisorRead).translation.physicalPage, 0x45000u);
}

} // namespace namsan
