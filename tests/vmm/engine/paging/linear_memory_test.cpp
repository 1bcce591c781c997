// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"

#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/interpret/attention.h"

#include <gtest/gtest.h>

namespace namsan {

// Paging on: linear 0 to 4 MiB is physical 0 to 4 MiB; a test remaps what it is about.
class LinearMemoryTest : public ::testing::Test, protected ProcessorBench {
protected:
    static constexpr uint32_t page = 0x00200000;
    static constexpr uint32_t frame = 0x00300000;
    static constexpr uint32_t mmio = 0xfeb00000;
    LinearMemory& linear = cpu.memory;

    LinearMemoryTest()
    {
        enterProtectedMode();
        enablePaging();
    }

    std::optional<Fault> faultOfRead(uint32_t address)
    {
        return faultOf([&] { linear.read<uint32_t>(address); });
    }
    std::optional<Fault> faultOfWrite(uint32_t address)
    {
        return faultOf([&] { linear.write<uint32_t>(address, 1); });
    }
};

TEST_F(LinearMemoryTest, ReadsAndWritesThroughTheTables)
{
    setPage(page, frame | 7);
    linear.write<uint32_t>(page + 8, 0xcafef00d);
    EXPECT_EQ(get32(frame + 8), 0xcafef00du);
    linear.write<uint8_t>(page + 9, 0x11);
    EXPECT_EQ(linear.read<uint16_t>(page + 8), 0x110d);
    EXPECT_EQ(linear.read<uint32_t>(page + 7), 0xfe110d00u);
}

TEST_F(LinearMemoryTest, TellsAPageFaultInCr2AndCountsIt)
{
    setPage(page, 0);
    EXPECT_EQ(faultOfRead(page + 0x124), pageFault(0));
    EXPECT_EQ(cpu.cr2, page + 0x124);
    linear.setPrivilege(LinearMemory::Privilege::User);
    EXPECT_EQ(faultOfWrite(page + 0x200), pageFault(6));
    EXPECT_EQ(cpu.cr2, page + 0x200);
    EXPECT_EQ(counters.pageFaults.value(), 2u);
}

TEST_F(LinearMemoryTest, KeepsTheRightsOfThePrivilegesApart)
{
    setPage(page, frame | 3);
    linear.write<uint32_t>(page, 1);
    linear.setPrivilege(LinearMemory::Privilege::User);
    EXPECT_EQ(faultOfRead(page), pageFault(5));
    EXPECT_EQ(linear.readAsSupervisor<uint32_t>(page), 1u);
    linear.writeAsSupervisor<uint32_t>(page, 2);
    EXPECT_EQ(get32(frame), 2u);
}

TEST_F(LinearMemoryTest, SetsDirtyOnTheFirstWriteAfterReads)
{
    setPage(page, frame | 7);
    linear.read<uint32_t>(page);
    EXPECT_EQ(get32(tableEntry(page)) & 0x60, 0x20u);
    linear.write<uint32_t>(page, 1);
    EXPECT_EQ(get32(tableEntry(page)) & 0x60, 0x60u);
}

TEST_F(LinearMemoryTest, WriteProtectCountsFromTheMomentItIsSet)
{
    setPage(page, frame | 5);
    linear.write<uint32_t>(page, 1);
    writeCr0(cpu, cpu.cr0 | cr0::writeProtect);
    EXPECT_EQ(faultOfWrite(page), pageFault(3));
    EXPECT_EQ(linear.read<uint32_t>(page), 1u);
}

TEST_F(LinearMemoryTest, RemembersATranslationUntilItIsInvalidated)
{
    setPage(page, frame | 7);
    linear.read<uint32_t>(page);
    put<uint32_t>(frame, 0x1111);
    put<uint32_t>(frame + 0x1000, 0x2222);
    put<uint32_t>(tableEntry(page), (frame + 0x1000) | 7);
    EXPECT_EQ(linear.read<uint32_t>(page), 0x1111u);
    linear.invalidatePage(page + 0xfff);
    EXPECT_EQ(linear.read<uint32_t>(page), 0x2222u);
}

TEST_F(LinearMemoryTest, KeepsGlobalPagesOverALoadOfCr3)
{
    writeCr4(cpu, cr4::pageGlobalEnable);
    put<uint32_t>(frame, 0x1111);
    setPage(page, frame | 0x107);
    setPage(page + 0x1000, frame | 0x7);
    linear.read<uint32_t>(page);
    linear.read<uint32_t>(page + 0x1000);
    put<uint32_t>(tableEntry(page), 0);
    put<uint32_t>(tableEntry(page + 0x1000), 0);

    writeCr3(cpu, cpu.cr3);
    EXPECT_EQ(linear.read<uint32_t>(page), 0x1111u);
    EXPECT_EQ(faultOfRead(page + 0x1000), pageFault(0));

    writeCr4(cpu, 0);
    EXPECT_EQ(faultOfRead(page), pageFault(0)) << "a change of CR4.PGE forgets global pages too";
}

TEST_F(LinearMemoryTest, InvalidatingOneAddressForgetsItsWholeLargePage)
{
    writeCr4(cpu, cr4::pageSizeExtensions);
    put<uint32_t>(pageDirectory + 4, 0x00400083);
    put<uint32_t>(0x00405000, 0x5555);
    put<uint32_t>(0x00805000, 0x8888);
    EXPECT_EQ(linear.read<uint32_t>(0x00405000), 0x5555u);
    put<uint32_t>(pageDirectory + 4, 0x00800083);
    EXPECT_EQ(linear.read<uint32_t>(0x00405000), 0x5555u);
    linear.invalidatePage(0x0077f000);
    EXPECT_EQ(linear.read<uint32_t>(0x00405000), 0x8888u);
}

TEST_F(LinearMemoryTest, CrossesPagesThatLieApart)
{
    setPage(page, frame | 7);
    setPage(page + 0x1000, (frame + 0x5000) | 7);
    linear.write<uint64_t>(page + 0xffd, 0x8877665544332211);
    EXPECT_EQ(get<uint8_t>(frame + 0xffd), 0x11);
    EXPECT_EQ(get<uint8_t>(frame + 0xfff), 0x33);
    EXPECT_EQ(get32(frame + 0x5000), 0x77665544u);
    EXPECT_EQ(linear.read<uint64_t>(page + 0xffd), 0x8877665544332211u);
    EXPECT_EQ(linear.read<uint16_t>(page + 0xfff), 0x4433);
}

TEST_F(LinearMemoryTest, DoesNothingOfACrossingWriteWhoseSecondPageFaults)
{
    setPage(page, frame | 7);
    setPage(page + 0x1000, frame | 5);
    writeCr0(cpu, cpu.cr0 | cr0::writeProtect);
    put<uint32_t>(frame + 0xffc, 0x12345678);
    EXPECT_EQ(faultOf([&] { linear.write<uint32_t>(page + 0xffe, 0xffffffff); }), pageFault(3));
    EXPECT_EQ(cpu.cr2, page + 0x1000);
    EXPECT_EQ(get32(frame + 0xffc), 0x12345678u);
}

TEST_F(LinearMemoryTest, CrossesTheEndOfTheAddressSpace)
{
    put<uint32_t>(pageDirectory + 4 * 1023, pageTable | 7); // the last page is linear 3ff000's frame
    put<uint32_t>(tableEntry(0x003ff000), frame | 7);
    linear.flushAll();
    linear.write<uint32_t>(0xfffffffe, 0x44332211);
    EXPECT_EQ(get<uint16_t>(frame + 0xffe), 0x2211);
    EXPECT_EQ(get<uint16_t>(0), 0x4433);
}

TEST_F(LinearMemoryTest, SendsWhatIsNoMemoryToTheBus)
{
    setPage(page, mmio | 7);
    EXPECT_EQ(linear.read<uint16_t>(page + 4), 0x7788);
    linear.write<uint32_t>(page + 8, 0xabcd1234);
    EXPECT_EQ(bus.mmioReads, (std::vector<RecordingBus::Access> { { mmio + 4, 2, 0 } }));
    EXPECT_EQ(bus.mmioWrites, (std::vector<RecordingBus::Access> { { mmio + 8, 4, 0xabcd1234 } }));
    EXPECT_EQ(counters.mmioReads.value(), 1u);
    EXPECT_EQ(counters.mmioWrites.value(), 1u);
}

TEST_F(LinearMemoryTest, SplitsACrossingAccessIntoBusCycles)
{
    setPage(page, frame | 7);
    setPage(page + 0x1000, mmio | 7);
    linear.write<uint32_t>(page + 0xfff, 0x44332211);
    EXPECT_EQ(get<uint8_t>(frame + 0xfff), 0x11);
    EXPECT_EQ(bus.mmioWrites, (std::vector<RecordingBus::Access> { { mmio, 2, 0x3322 }, { mmio + 2, 1, 0x44 } }));
}

TEST_F(LinearMemoryTest, ClosedA20FoldsTheSecondMebibyteOntoTheFirst)
{
    put<uint32_t>(0x00006000, 0x600d);
    linear.setA20(false);
    EXPECT_EQ(linear.read<uint32_t>(0x00106000), 0x600du);
    linear.setA20(true);
    EXPECT_EQ(linear.read<uint32_t>(0x00106000), 0u);
}

TEST_F(LinearMemoryTest, WithoutPagingLinearIsPhysical)
{
    writeCr0(cpu, cpu.cr0 & ~cr0::paging);
    put<uint32_t>(0x00765430, 0xfeed);
    EXPECT_EQ(linear.read<uint32_t>(0x00765430), 0xfeedu);
    linear.read<uint32_t>(0xf0000000);
    EXPECT_EQ(bus.mmioReads.size(), 1u);
}

TEST_F(LinearMemoryTest, SwallowsWritesToReadOnlyMemory)
{
    put<uint32_t>(frame, 0x1234);
    memory->setFlag(frame, GuestMemory::ReadOnly);
    setPage(page, frame | 7);
    linear.write<uint32_t>(page, 0);
    EXPECT_EQ(linear.read<uint32_t>(page), 0x1234u);
    EXPECT_EQ(linear.directWrite(page, 4), nullptr);
}

TEST_F(LinearMemoryTest, MarksTrackedMemoryDirtyOnEachWrite)
{
    memory->setFlag(frame, GuestMemory::Tracked);
    setPage(page, frame | 7);
    for (int round = 0; round < 2; ++round) {
        linear.write<uint32_t>(page, 7);
        EXPECT_TRUE(memory->flags(frame) & GuestMemory::Dirty);
        memory->clearFlag(frame, GuestMemory::Dirty);
    }
    EXPECT_EQ(linear.directWrite(page, 4), nullptr);
}

TEST_F(LinearMemoryTest, ReportsWritesIntoCode)
{
    const Decoder decoder;
    Attention attention;
    CodeCache codeCache(*memory, linear, bus, decoder, counters, attention);
    setPage(page, frame | 7);
    linear.write<uint32_t>(page, 0x90909090);
    put<uint8_t>(frame + 4, 0xf4);
    codeCache.find(page, true, linear.fetchGeneration());
    ASSERT_TRUE(memory->flags(frame) & GuestMemory::Code);
    EXPECT_EQ(linear.directWrite(page, 4), nullptr);

    linear.write<uint16_t>(page + 1, 0x4040);
    EXPECT_EQ(counters.codeInvalidations.value(), 1u);
    EXPECT_EQ(get32(frame), 0x90404090u);

    memory->clearFlag(frame, GuestMemory::Code);
    linear.write<uint16_t>(page + 1, 0x4141);
    EXPECT_EQ(counters.codeInvalidations.value(), 1u);
    EXPECT_NE(linear.directWrite(page, 4), nullptr) << "the page is plain again";
}

TEST_F(LinearMemoryTest, ProbingFaultsAsTheWriteWouldAndChangesNothing)
{
    setPage(page, frame | 7);
    setPage(page + 0x1000, 0);
    put<uint32_t>(frame + 0xffc, 0x12345678);
    EXPECT_FALSE(faultOf([&] { linear.probeWrite(page + 0xffc, 4); }));
    EXPECT_EQ(get32(tableEntry(page)) & 0x40, 0x40u) << "dirty";
    EXPECT_EQ(faultOf([&] { linear.probeWrite(page + 0xffc, 5); }), pageFault(2));
    EXPECT_EQ(faultOf([&] { linear.probeRead(page + 0xffc, 5); }), pageFault(0));
    EXPECT_EQ(cpu.cr2, page + 0x1000);
    EXPECT_EQ(get32(frame + 0xffc), 0x12345678u);
}

TEST_F(LinearMemoryTest, ReadForWriteFaultsAsAWrite)
{
    setPage(page, frame | 5);
    linear.setPrivilege(LinearMemory::Privilege::User);
    EXPECT_FALSE(faultOfRead(page));
    EXPECT_EQ(faultOf([&] { linear.readForWrite<uint32_t>(page); }), pageFault(7));
}

TEST_F(LinearMemoryTest, GivesPlainMemoryForDirectUse)
{
    setPage(page, frame | 7);
    EXPECT_EQ(linear.directRead(page + 4, 16), memory->host(frame + 4));
    EXPECT_EQ(get32(tableEntry(page)) & 0x60, 0x20u);
    EXPECT_EQ(linear.directWrite(page + 4, 16), memory->host(frame + 4));
    EXPECT_EQ(get32(tableEntry(page)) & 0x60, 0x60u);
    EXPECT_NE(linear.directRead(page, 4096), nullptr);
    EXPECT_EQ(linear.directRead(page + 1, 4096), nullptr) << "crosses the page";
    setPage(page, mmio | 7);
    EXPECT_EQ(linear.directRead(page, 4), nullptr);
    setPage(page, 0);
    EXPECT_EQ(linear.directWrite(page, 4), nullptr);
    EXPECT_EQ(counters.pageFaults.value(), 0u);
}

TEST_F(LinearMemoryTest, TranslatesFetchesAndTellsWhenThatMayBeStale)
{
    setPage(page, frame | 3);
    EXPECT_EQ(linear.translateFetch(page + 0x123), frame + 0x123);
    const uint64_t before = linear.fetchGeneration();
    linear.read<uint32_t>(page);
    EXPECT_EQ(linear.fetchGeneration(), before);

    linear.setPrivilege(LinearMemory::Privilege::User);
    EXPECT_NE(linear.fetchGeneration(), before);
    EXPECT_EQ(faultOf([&] { linear.translateFetch(page); }), pageFault(5));
    linear.setPrivilege(LinearMemory::Privilege::Supervisor);
    EXPECT_EQ(linear.fetchGeneration(), before) << "there and back: what was found serves again";

    linear.invalidatePage(page);
    EXPECT_NE(linear.fetchGeneration(), before);
}

TEST_F(LinearMemoryTest, CountsWalks)
{
    linear.flushAll();
    const uint64_t before = counters.tlbMisses.value();
    linear.read<uint32_t>(page);
    linear.read<uint32_t>(page + 4);
    linear.read<uint32_t>(page + 0x1000);
    EXPECT_EQ(counters.tlbMisses.value(), before + 2);
}

// Pages a multiple of the cache's size apart fall on the same entry.
TEST_F(LinearMemoryTest, TellsPagesOnOneEntryApart)
{
    writeCr4(cpu, cr4::pageSizeExtensions);
    put<uint32_t>(pageDirectory + 4, 0x00400083);
    put<uint32_t>(0x00001000, 0x1111);
    put<uint32_t>(0x00401000, 0x4444);
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(linear.read<uint32_t>(0x00001000), 0x1111u);
        EXPECT_EQ(linear.read<uint32_t>(0x00401000), 0x4444u);
    }
}

} // namespace namsan
