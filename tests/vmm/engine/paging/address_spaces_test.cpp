// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"

#include <functional>
#include <gtest/gtest.h>

namespace namsan {

// Two address spaces: their page directories share the first page table, as processes share the system's part, and have
// one of their own for 4 MiB to 8 MiB.
class AddressSpacesTest : public ::testing::Test, protected ProcessorBench {
protected:
    static constexpr uint32_t otherDirectory = 0x20000;
    static constexpr uint32_t ownTable = 0x21000; // of the first address space
    static constexpr uint32_t otherTable = 0x22000;
    static constexpr uint32_t page = 0x00400000; // the first that is the address space's own
    static constexpr uint32_t shared = 0x00200000;
    static constexpr uint32_t frame = 0x00300000;
    static constexpr uint32_t otherFrame = 0x00301000;
    static constexpr uint32_t accessed = 1 << 5;
    static constexpr uint32_t dirty = 1 << 6;
    LinearMemory& linear = cpu.memory;

    AddressSpacesTest()
    {
        enterProtectedMode();
        enablePaging();
        put<uint32_t>(pageDirectory + 4, ownTable | 7);
        // Looking sets no accessed bit, so what is to be kept must have it.
        put<uint32_t>(otherDirectory, pageTable | 7 | accessed);
        put<uint32_t>(otherDirectory + 4, otherTable | 7 | accessed);
        put<uint32_t>(ownTable, frame | 7);
        put<uint32_t>(otherTable, otherFrame | 7);
        put<uint32_t>(frame, 0x1111);
        put<uint32_t>(otherFrame, 0x2222);
    }

    void thereAndBack()
    {
        writeCr3(cpu, otherDirectory);
        writeCr3(cpu, pageDirectory);
    }
    uint64_t missesOf(const std::function<void()>& action)
    {
        const uint64_t before = counters.tlbMisses.value();
        action();
        return counters.tlbMisses.value() - before;
    }
};

TEST_F(AddressSpacesTest, KeepsWhatItKnowsOfEach)
{
    EXPECT_EQ(linear.read<uint32_t>(page), 0x1111u);
    writeCr3(cpu, otherDirectory);
    EXPECT_EQ(linear.read<uint32_t>(page), 0x2222u);
    EXPECT_EQ(missesOf([&] {
        writeCr3(cpu, pageDirectory);
        EXPECT_EQ(linear.read<uint32_t>(page), 0x1111u);
        writeCr3(cpu, otherDirectory);
        EXPECT_EQ(linear.read<uint32_t>(page), 0x2222u);
    }),
        0u);
}

TEST_F(AddressSpacesTest, SeesTablesThatChangedMeanwhile)
{
    linear.write<uint32_t>(page, 0x1111);
    writeCr3(cpu, otherDirectory);
    put<uint32_t>(ownTable, otherFrame | 7);
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(linear.read<uint32_t>(page), 0x2222u);
    EXPECT_EQ(get32(ownTable) & (accessed | dirty), accessed);

    put<uint32_t>(pageDirectory + 4, 0);
    EXPECT_EQ(linear.read<uint32_t>(page), 0x2222u) << "nothing was flushed yet";
    thereAndBack();
    EXPECT_EQ(faultOf([&] { linear.read<uint32_t>(page); }), pageFault(0));
}

TEST_F(AddressSpacesTest, SetsBitsAgainThatTheSystemHasCleared)
{
    linear.write<uint32_t>(page, 1);
    EXPECT_EQ(get32(ownTable) & (accessed | dirty), accessed | dirty);
    put<uint32_t>(ownTable, frame | 7);
    thereAndBack();
    EXPECT_EQ(get32(ownTable) & (accessed | dirty), 0u) << "looking sets nothing";
    linear.read<uint32_t>(page);
    EXPECT_EQ(get32(ownTable) & (accessed | dirty), accessed);
    linear.write<uint32_t>(page, 2);
    EXPECT_EQ(get32(ownTable) & (accessed | dirty), accessed | dirty);

    put<uint32_t>(ownTable, frame | 7 | accessed);
    writeCr3(cpu, pageDirectory);
    linear.write<uint32_t>(page, 3);
    EXPECT_EQ(get32(ownTable) & (accessed | dirty), accessed | dirty) << "the same address space, loaded again";
}

TEST_F(AddressSpacesTest, TakesRightsAwayAtALoadOfCr3)
{
    linear.setPrivilege(LinearMemory::Privilege::User);
    linear.write<uint32_t>(page, 1);
    put<uint32_t>(ownTable, frame | 5 | accessed | dirty);
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(linear.read<uint32_t>(page), 1u);
    EXPECT_EQ(faultOf([&] { linear.write<uint32_t>(page, 2); }), pageFault(7));
    put<uint32_t>(ownTable, frame | 3 | accessed | dirty);
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(faultOf([&] { linear.read<uint32_t>(page); }), pageFault(5));
    EXPECT_EQ(linear.readAsSupervisor<uint32_t>(page), 1u);
}

TEST_F(AddressSpacesTest, BeginsANewOneWithTheGlobalPagesOfTheOldOne)
{
    writeCr4(cpu, cr4::pageGlobalEnable);
    setPage(shared, frame | 0x107);
    linear.read<uint32_t>(shared);
    EXPECT_EQ(missesOf([&] {
        writeCr3(cpu, otherDirectory);
        linear.read<uint32_t>(shared);
    }),
        0u);
}

// INVLPG and changes of CR4.PGE forget global pages of every address space. Intel SDM volume 3, 4.10.4.1.
class GlobalPagesTest : public AddressSpacesTest {
protected:
    GlobalPagesTest()
    {
        writeCr4(cpu, cr4::pageGlobalEnable);
        setPage(shared, frame | 0x107);
        linear.read<uint32_t>(shared);
        writeCr3(cpu, otherDirectory);
        linear.read<uint32_t>(shared);
    }
    // Points the page elsewhere, as nobody has told the processor yet.
    void moveSharedPage() { put<uint32_t>(tableEntry(shared), otherFrame | 0x107); }
};

TEST_F(GlobalPagesTest, StayInEachUntilTheyAreInvalidated)
{
    moveSharedPage();
    EXPECT_EQ(linear.read<uint32_t>(shared), 0x1111u);
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(linear.read<uint32_t>(shared), 0x1111u);
}

TEST_F(GlobalPagesTest, AreForgottenByEachWhenOneInvalidatesThem)
{
    moveSharedPage();
    linear.invalidatePage(shared);
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(linear.read<uint32_t>(shared), 0x2222u);
}

TEST_F(GlobalPagesTest, AreForgottenByEachAlsoWhenMoreAreInvalidatedThanAreRemembered)
{
    moveSharedPage();
    linear.invalidatePage(shared);
    for (uint32_t n = 1; n < 100; ++n)
        linear.invalidatePage(shared + 0x1000 * n);
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(linear.read<uint32_t>(shared), 0x2222u);
}

TEST_F(GlobalPagesTest, AreForgottenByEachWhenGlobalPagesAreSwitchedOff)
{
    moveSharedPage();
    writeCr4(cpu, 0);
    writeCr4(cpu, cr4::pageGlobalEnable);
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(linear.read<uint32_t>(shared), 0x2222u);
}

TEST_F(GlobalPagesTest, AreNotLookedAtAgainForWhatHappenedBefore)
{
    linear.invalidatePage(shared);
    for (int times = 0; times < 2; ++times) {
        writeCr3(cpu, pageDirectory);
        linear.read<uint32_t>(shared);
        writeCr3(cpu, otherDirectory);
        linear.read<uint32_t>(shared);
    }
    EXPECT_EQ(missesOf([&] {
        thereAndBack();
        linear.read<uint32_t>(shared);
    }),
        0u);
}

TEST_F(AddressSpacesTest, NoticesThatAPageBecameSpecialWhileAnotherRan)
{
    linear.write<uint32_t>(page, 1);
    ASSERT_NE(linear.directWrite(page, 4), nullptr);
    writeCr3(cpu, otherDirectory);
    memory->setFlag(frame, GuestMemory::Code);
    linear.dropWriteEntries(frame);
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(linear.directWrite(page, 4), nullptr);
}

TEST_F(AddressSpacesTest, FetchesServeAgainOnlyWhereTheSameCodeIsMapped)
{
    linear.translateFetch(shared);
    const uint64_t system = linear.fetchGeneration();
    linear.setPrivilege(LinearMemory::Privilege::User);
    linear.translateFetch(page);
    const uint64_t own = linear.fetchGeneration();
    writeCr3(cpu, otherDirectory);
    EXPECT_NE(linear.fetchGeneration(), own);
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(linear.fetchGeneration(), own);
    put<uint32_t>(ownTable, otherFrame | 7);
    writeCr3(cpu, pageDirectory);
    EXPECT_NE(linear.fetchGeneration(), own);

    linear.setPrivilege(LinearMemory::Privilege::Supervisor);
    EXPECT_EQ(linear.fetchGeneration(), system) << "that code is where it was";
    setPage(shared, frame | 7);
    EXPECT_NE(linear.fetchGeneration(), system) << "its page was invalidated";
}

TEST_F(AddressSpacesTest, ManyOfThemPushOutTheOldest)
{
    linear.read<uint32_t>(page);
    for (uint32_t n = 0; n < 3 * TranslationSets::mostSets; ++n) {
        const uint32_t directory = 0x400000 + 0x1000 * n;
        put<uint32_t>(directory, pageTable | 7);
        put<uint32_t>(directory + 4, (n % 2 ? otherTable : ownTable) | 7);
        writeCr3(cpu, directory);
        EXPECT_EQ(linear.read<uint32_t>(page), n % 2 ? 0x2222u : 0x1111u);
    }
    writeCr3(cpu, pageDirectory);
    EXPECT_EQ(missesOf([&] { linear.read<uint32_t>(page); }), 1u);
}

} // namespace namsan
