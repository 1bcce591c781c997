// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/guest_memory.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

namespace namsan {

namespace {
class RecordingWatcher final : public CodeWatcher {
public:
    void codeWritten(PhysicalAddress address, uint64_t size) override { writes.emplace_back(address, size); }
    std::vector<std::pair<PhysicalAddress, uint64_t>> writes;
};
} // namespace

class GuestMemoryTest : public ::testing::Test {
protected:
    static constexpr PhysicalAddress frameBuffer = 0xfd000000;
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(4 << 20));

    std::vector<PhysicalAddress> harvest(PhysicalAddress base, uint64_t size)
    {
        std::vector<PhysicalAddress> pages;
        memory->harvestDirty(base, size, [&](PhysicalAddress page) { pages.push_back(page); });
        return pages;
    }
};

TEST_F(GuestMemoryTest, RefusesSizesThatNoMachineHas)
{
    for (const uint64_t size : { uint64_t { 0 }, GuestMemory::smallest - 4096, GuestMemory::smallest + 1,
             GuestMemory::largest + 4096, ~uint64_t { 0 } }) {
        const auto refused = GuestMemory::create(size);
        ASSERT_FALSE(refused) << size;
        EXPECT_NE(refused.error().message.find("Choose"), std::string::npos);
    }
    EXPECT_TRUE(GuestMemory::create(GuestMemory::smallest));
    EXPECT_TRUE(GuestMemory::create(GuestMemory::largest));
}

TEST_F(GuestMemoryTest, IsZeroAtFirstAndKeepsWhatIsWritten)
{
    std::vector<uint8_t> bytes(10000);
    memory->read(0x100123, bytes);
    EXPECT_EQ(std::accumulate(bytes.begin(), bytes.end(), 0u), 0u);
    std::iota(bytes.begin(), bytes.end(), uint8_t { 1 });
    memory->write(0x100123, bytes);
    std::vector<uint8_t> back(bytes.size());
    memory->read(0x100123, back);
    EXPECT_EQ(back, bytes);
    EXPECT_EQ(*memory->host(0x100124), 2);
}

TEST_F(GuestMemoryTest, HasAHoleWhereVideoMemoryIs)
{
    EXPECT_NE(memory->host(0x9ffff), nullptr);
    EXPECT_EQ(memory->host(0xa0000), nullptr);
    EXPECT_EQ(memory->host(0xbffff), nullptr);
    EXPECT_NE(memory->host(0xc0000), nullptr);
    EXPECT_EQ(memory->host(4 << 20), nullptr);
    EXPECT_EQ(memory->host(GuestMemory::addressSpace), nullptr);
    EXPECT_EQ(memory->pageHost(~PhysicalAddress { 0 }), nullptr);
}

TEST_F(GuestMemoryTest, ReadsAndWritesAcrossTheBordersOfWhatIsMemory)
{
    const std::vector<uint8_t> bytes { 1, 2, 3, 4 };
    memory->write(0x9fffe, bytes);
    std::vector<uint8_t> back(4);
    memory->read(0x9fffe, back);
    EXPECT_EQ(back, (std::vector<uint8_t> { 1, 2, 0xff, 0xff }));

    memory->fill(0xbfff0, 0x20, 7);
    memory->read(0xbfffe, back);
    EXPECT_EQ(back, (std::vector<uint8_t> { 0xff, 0xff, 7, 7 }));

    memory->write((4 << 20) - 1, bytes);
    memory->read((4 << 20) - 1, back);
    EXPECT_EQ(back, (std::vector<uint8_t> { 1, 0xff, 0xff, 0xff }));
    memory->write(~PhysicalAddress { 0 } - 1, bytes);
    EXPECT_EQ(*memory->host(0), 3) << "the address wraps at 2^64 as the arithmetic does";
}

TEST_F(GuestMemoryTest, ReportsEachWrittenPageOfATrackedRegionOnce)
{
    const auto region = memory->addTrackedRegion(frameBuffer, 0x10000);
    ASSERT_TRUE(region);
    EXPECT_EQ(region->fileOffset, uint64_t { 4 } << 20);
    EXPECT_EQ(memory->regions().size(), 3u);
    EXPECT_TRUE(harvest(frameBuffer, 0x10000).empty());

    const std::vector<uint8_t> bytes(2, 1);
    memory->write(frameBuffer + 0x1fff, bytes);
    memory->noteWrite(frameBuffer + 0x5123);
    const std::vector<PhysicalAddress> expected { frameBuffer + 0x1000, frameBuffer + 0x2000, frameBuffer + 0x5000 };
    EXPECT_EQ(harvest(frameBuffer, 0x10000), expected);
    EXPECT_TRUE(harvest(frameBuffer, 0x10000).empty());

    memory->fill(frameBuffer + 0x3000, 1, 0);
    EXPECT_TRUE(harvest(frameBuffer, 0x3000).empty()) << "a page outside the range stays dirty";
    EXPECT_EQ(harvest(frameBuffer + 0x3800, 1).size(), 1u) << "a range within a page is that page";
}

TEST_F(GuestMemoryTest, TracksPlainMemoryOnlyWhenAsked)
{
    memory->fill(0x1000, 1, 1);
    EXPECT_TRUE(harvest(0, 4 << 20).empty());
    memory->setFlag(0x1000, GuestMemory::Tracked);
    memory->fill(0x1000, 1, 1);
    EXPECT_EQ(harvest(0, 4 << 20), std::vector<PhysicalAddress> { 0x1000 });
    memory->clearFlag(0x1000, GuestMemory::Tracked);
    memory->fill(0x1000, 1, 1);
    EXPECT_TRUE(harvest(0, 4 << 20).empty());
}

TEST_F(GuestMemoryTest, HarvestsUpToTheEndOfTheAddressSpaceAndNotBeyond)
{
    ASSERT_TRUE(memory->addTrackedRegion(GuestMemory::addressSpace - 0x1000, 0x1000));
    memory->noteWrite(GuestMemory::addressSpace - 1);
    EXPECT_EQ(harvest(GuestMemory::addressSpace - 0x1000, ~uint64_t { 0 }).size(), 1u);
    EXPECT_TRUE(harvest(~PhysicalAddress { 0 } - 100, 50).empty());
}

TEST_F(GuestMemoryTest, TellsTheWatcherOfWritesIntoCodeAndOfNoOthers)
{
    RecordingWatcher watcher;
    memory->setCodeWatcher(&watcher);
    memory->setFlag(0x3000, GuestMemory::Code);
    const std::vector<uint8_t> bytes(0x1010);
    memory->write(0x2ff8, bytes);
    ASSERT_EQ(watcher.writes.size(), 1u);
    EXPECT_EQ(watcher.writes[0], (std::pair<PhysicalAddress, uint64_t>(0x3000, 0x1000)));
    EXPECT_EQ(memory->flags(0x3000), GuestMemory::Code);
}

TEST_F(GuestMemoryTest, LoadersWriteReadOnlyPages)
{
    memory->setFlag(0xf0000, GuestMemory::ReadOnly);
    memory->fill(0xf0000, 16, 0x5a);
    EXPECT_EQ(*memory->host(0xf000f), 0x5a);
}

TEST(GuestMemory, AsksWhoKnowsOfTheGuestsWritesBeforeItTellsDirtyPages)
{
    class Source final : public DirtySource {
    public:
        explicit Source(GuestMemory& memory)
            : m_memory(memory)
        {
        }
        void collectDirty(PhysicalAddress base, uint64_t) override { m_memory.noteWrite(base + 0x3000); }

    private:
        GuestMemory& m_memory;
    };
    constexpr PhysicalAddress base = 0xe0000000;
    const auto memory = std::move(*GuestMemory::create(GuestMemory::smallest));
    ASSERT_TRUE(memory->addTrackedRegion(base, 0x10000));
    std::vector<PhysicalAddress> pages;
    const auto harvest
        = [&] { memory->harvestDirty(base, 0x10000, [&](PhysicalAddress page) { pages.push_back(page); }); };
    Source source(*memory);
    memory->setDirtySource(&source);
    harvest();
    EXPECT_EQ(pages, std::vector<PhysicalAddress> { base + 0x3000 });
    memory->setDirtySource(nullptr);
    harvest();
    EXPECT_EQ(pages.size(), 1u);
}

TEST_F(GuestMemoryTest, KeepsARomFromTheGuest)
{
    const auto rom = memory->addReadOnlyRegion(0xffff0000, 0x10000);
    ASSERT_TRUE(rom);
    EXPECT_EQ(rom->size, 0x10000u);
    EXPECT_EQ(memory->flags(0xffff0000), GuestMemory::ReadOnly);
    EXPECT_EQ(memory->flags(0xffffffff), GuestMemory::ReadOnly);
    const std::array<uint8_t, 1> byte { 0x5a };
    memory->write(0xffffffff, byte); // a loader's write
    EXPECT_EQ(rom->host[0xffff], 0x5a);
}

} // namespace namsan
