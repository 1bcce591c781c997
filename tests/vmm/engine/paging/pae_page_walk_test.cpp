// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/page_walk.h"

#include "vmm/engine/cpu_state.h"

#include <gtest/gtest.h>

#include <cstring>

namespace namsan {

namespace {

constexpr uint32_t pointers = 0x10020; // aligned to 32 bytes
constexpr uint32_t directory = 0x11000;
constexpr uint32_t table = 0x12000;
constexpr uint32_t linear = 0x80603123; // pointer 2, directory entry 3, table entry 3
constexpr uint32_t directoryEntry = directory + 8 * 3;
constexpr uint32_t tableEntry = table + 8 * 3;

constexpr uint64_t present = 1, writable = 2, user = 4, accessed = 0x20, dirty = 0x40, large = 0x80, global = 0x100;
constexpr uint64_t noExecute = uint64_t { 1 } << 63;
constexpr uint64_t all = present | writable | user;

constexpr PageAccess supervisorRead {};
constexpr PageAccess supervisorWrite { .write = true };
constexpr PageAccess userRead { .user = true };
constexpr PageAccess userFetch { .user = true, .fetch = true };
constexpr PageAccess supervisorFetch { .fetch = true };

} // namespace

class PaePageWalkTest : public ::testing::Test {
protected:
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(2 << 20));
    PageWalk walk { *memory };
    PageWalk::Control control { cr0::paging | cr0::protectionEnable, pointers,
        cr4::physicalAddressExtension | cr4::pageGlobalEnable, 0, {} };

    PaePageWalkTest()
    {
        walk.setModel({ 36, true });
        put(pointers + 16, directory | present);
        map(all, all);
        control.pageDirectoryPointers = *walk.readPageDirectoryPointers(pointers);
    }

    void put(uint32_t address, uint64_t value) { std::memcpy(memory->host(address), &value, sizeof value); }
    uint64_t get(uint32_t address) const
    {
        uint64_t value;
        std::memcpy(&value, memory->host(address), sizeof value);
        return value;
    }
    void map(uint64_t directoryRights, uint64_t tableRights)
    {
        put(directoryEntry, table | directoryRights);
        put(tableEntry, 0x45000 | tableRights);
    }
    PageWalkResult go(PageAccess access) { return walk.walk(control, linear, access); }
};

TEST_F(PaePageWalkTest, FindsAPageThroughThreeLevels)
{
    const PageWalkResult result = go(userRead);
    ASSERT_FALSE(result.errorCode);
    EXPECT_EQ(result.translation.physicalPage, 0x45000u);
    EXPECT_FALSE(result.translation.writable) << "the dirty bit is not set yet";
    EXPECT_TRUE(result.translation.executable);
    EXPECT_FALSE(result.translation.large);
    EXPECT_EQ(get(directoryEntry), table | all | accessed);
    EXPECT_EQ(get(tableEntry), 0x45000 | all | accessed);
    EXPECT_EQ(get(pointers + 16), directory | present) << "pointers have no accessed bit";

    EXPECT_FALSE(go(supervisorWrite).errorCode);
    EXPECT_EQ(get(tableEntry), 0x45000 | all | accessed | dirty);
}

TEST_F(PaePageWalkTest, PagesBeyondFourGigabytes)
{
    put(tableEntry, 0xf'8765'4000 | all);
    EXPECT_EQ(go(userRead).translation.physicalPage, 0xf'8765'4000u);
    put(tableEntry, 0x10'0000'0000 | all);
    EXPECT_EQ(go(userRead).errorCode, 0b1101u) << "reserved with 36 address bits";
}

TEST_F(PaePageWalkTest, LargePagesAreOfTwoMegabytesWhateverPseSays)
{
    put(directoryEntry, 0x00a00000 | all | large | global);
    const PageWalkResult result = go(supervisorWrite);
    ASSERT_FALSE(result.errorCode);
    EXPECT_EQ(result.translation.physicalPage, 0x00a03000u);
    EXPECT_TRUE(result.translation.large);
    EXPECT_TRUE(result.translation.global);
    EXPECT_TRUE(result.translation.writable);
    EXPECT_EQ(get(directoryEntry), 0x00a00000 | all | large | global | accessed | dirty);
    put(directoryEntry, 0x00a02000 | all | large);
    EXPECT_EQ(go(supervisorWrite).errorCode, 0b1011u) << "bits 13 to 20 are reserved";
    put(directoryEntry, 0x00a01000 | all | large);
    EXPECT_FALSE(go(supervisorWrite).errorCode) << "bit 12 is PAT";
}

TEST_F(PaePageWalkTest, WhatIsNotPresent)
{
    map(all, 0);
    EXPECT_EQ(go(supervisorRead).errorCode, 0u);
    map(0, all);
    EXPECT_EQ(go(userRead).errorCode, 4u);
    control.pageDirectoryPointers[2] = 0;
    EXPECT_EQ(go(supervisorWrite).errorCode, 2u);
    EXPECT_EQ(get(directoryEntry), table) << "nothing was set";
}

TEST_F(PaePageWalkTest, RightsOfBothLevelsCount)
{
    map(present | user, all);
    EXPECT_EQ(go({ .write = true, .user = true }).errorCode, 7u);
    EXPECT_FALSE(go(supervisorWrite).errorCode);
    control.cr0 |= cr0::writeProtect;
    EXPECT_EQ(go(supervisorWrite).errorCode, 3u);
    map(all, present | writable);
    EXPECT_EQ(go(userRead).errorCode, 5u);
}

TEST_F(PaePageWalkTest, NoExecuteWhereItIsEnabled)
{
    control.efer = efer::noExecuteEnable;
    map(all, all | noExecute);
    EXPECT_EQ(go(userFetch).errorCode, 0b10101u);
    EXPECT_EQ(go(supervisorFetch).errorCode, 0b10001u);
    const PageWalkResult result = go(userRead);
    EXPECT_FALSE(result.errorCode);
    EXPECT_FALSE(result.translation.executable);
    map(all | noExecute, all);
    EXPECT_EQ(go(userFetch).errorCode, 0b10101u) << "the directory forbids it for all its pages";
    map(all, 0);
    EXPECT_EQ(go(userFetch).errorCode, 0b10100u) << "the fetch is told where nothing is present, too";
    map(all, all);
    EXPECT_FALSE(go(userFetch).errorCode);
}

TEST_F(PaePageWalkTest, NoExecuteIsReservedWhereItIsNot)
{
    map(all, all | noExecute);
    EXPECT_EQ(go(userRead).errorCode, 0b1101u);
    EXPECT_EQ(go(userFetch).errorCode, 0b1101u) << "no I/D bit either";
    map(all | noExecute, 0);
    EXPECT_EQ(go(userRead).errorCode, 0b1101u) << "the upper level is looked at first";
    map(noExecute, all);
    EXPECT_EQ(go(userRead).errorCode, 4u) << "an entry that is not present has no reserved bits";
}

TEST_F(PaePageWalkTest, PointersWithReservedBitsAreRefused)
{
    for (const uint64_t bit : { 1u, 2u, 5u, 6u, 7u, 8u }) {
        put(pointers + 24, directory | present | uint64_t { 1 } << bit);
        EXPECT_FALSE(walk.readPageDirectoryPointers(pointers)) << bit;
        put(pointers + 24, directory | uint64_t { 1 } << bit);
        EXPECT_TRUE(walk.readPageDirectoryPointers(pointers)) << "not present: " << bit;
    }
    for (const unsigned bit : { 36u, 62u, 63u }) {
        put(pointers + 24, directory | present | uint64_t { 1 } << bit);
        EXPECT_FALSE(walk.readPageDirectoryPointers(pointers)) << bit;
    }
    put(pointers + 24, 0xf'0000'0000 | present | 0xe18);
    EXPECT_TRUE(walk.readPageDirectoryPointers(pointers)) << "PWT, PCD and what is ignored";
    EXPECT_FALSE(walk.readPageDirectoryPointers(0x40000000)) << "no memory: all ones";
}

// -- 32-bit entries with PSE-36
// ----------------------------------------------------------------------------------------

TEST_F(PaePageWalkTest, FourMegabytePagesReachBeyondFourGigabytesWithPse36)
{
    control = { cr0::paging | cr0::protectionEnable, directory, cr4::pageSizeExtensions, 0, {} };
    const uint32_t entry = directory + (linear >> 22) * 4;
    const auto set = [&](uint32_t value) { std::memcpy(memory->host(entry), &value, sizeof value); };
    set(0x00c00087 | 0xb << 13);
    EXPECT_EQ(go(userRead).translation.physicalPage, 0xb'00c0'0000u + (linear & 0x3ff000));
    set(0x00c00087 | 0x10 << 13);
    EXPECT_EQ(go(userRead).errorCode, 0b1101u) << "address bit 36";
    set(0x00c00087 | 1 << 21);
    EXPECT_EQ(go(userRead).errorCode, 0b1101u);
    walk.setModel({ 32, false });
    set(0x00c00087 | 1 << 13);
    EXPECT_EQ(go(userRead).errorCode, 0b1101u) << "without PSE-36";
}

} // namespace namsan
