// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/virtio/virtqueue.h"

#include "tests/support/bare_board.h"
#include "tests/support/virtio_driver.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace namsan {

class VirtqueueTest : public ::testing::Test {
protected:
    static constexpr uint16_t size = 8;

    BareBoard board;
    DriverRing ring { board.memory(), 0x10000, size };
    Virtqueue queue { board.memory() };
    VirtqueueChain chain;

    VirtqueueTest() { enable(false, false); }
    void enable(bool eventIndex, bool indirect)
    {
        queue.reset();
        queue.setup = { .descriptorArea = ring.descriptors(),
            .driverArea = ring.available(),
            .deviceArea = ring.used(),
            .size = size,
            .enabled = 1 };
        queue.setFeatures(eventIndex, indirect);
    }
};

TEST_F(VirtqueueTest, TakesAChainInItsOrder)
{
    ring.setDescriptor(5, 0x20000, 12, DriverRing::next, 2);
    ring.setDescriptor(2, 0x21000, 60, DriverRing::next, 7);
    ring.setDescriptor(7, 0x22000, 1500, DriverRing::deviceWrites);
    EXPECT_FALSE(queue.hasBuffer());
    ring.offer(5);
    ASSERT_TRUE(queue.hasBuffer());
    ASSERT_TRUE(queue.take(chain));
    EXPECT_EQ(chain.head, 5);
    ASSERT_EQ(chain.readable.size(), 2u);
    EXPECT_EQ(chain.readable[1].address, 0x21000u);
    EXPECT_EQ(chain.readableBytes(), 72u);
    ASSERT_EQ(chain.writable.size(), 1u);
    EXPECT_EQ(chain.writableBytes(), 1500u);
    EXPECT_FALSE(queue.take(chain));
    EXPECT_FALSE(queue.broken());
}

TEST_F(VirtqueueTest, GivesBuffersBackWhenTheyArePublished)
{
    ring.setDescriptor(3, 0x20000, 12, DriverRing::deviceWrites);
    ring.offer(3);
    ASSERT_TRUE(queue.take(chain));
    queue.put(chain, 10);
    EXPECT_EQ(ring.usedIndex(), 0);
    queue.publish();
    EXPECT_EQ(ring.usedIndex(), 1);
    EXPECT_EQ(ring.usedHead(0), 3);
    EXPECT_EQ(ring.usedLength(0), 10u);
}

TEST_F(VirtqueueTest, GoesRoundItsRingsManyTimes)
{
    ring.setDescriptor(1, 0x20000, 4, 0);
    for (unsigned turn = 0; turn < 70000; ++turn) { // over the end of the 16-bit indices
        ring.offer(1);
        ASSERT_TRUE(queue.take(chain)) << turn;
        queue.put(chain, 0);
        queue.publish();
        ASSERT_EQ(ring.usedIndex(), static_cast<uint16_t>(turn + 1));
    }
}

TEST_F(VirtqueueTest, TakesAgainWhatWasUntaken)
{
    ring.setDescriptor(0, 0x20000, 4, 0);
    ring.setDescriptor(1, 0x20000, 4, 0);
    ring.offer(0);
    ring.offer(1);
    ASSERT_TRUE(queue.take(chain));
    ASSERT_TRUE(queue.take(chain));
    queue.untake(2);
    ASSERT_TRUE(queue.take(chain));
    EXPECT_EQ(chain.head, 0);
}

TEST_F(VirtqueueTest, FollowsAnIndirectTable)
{
    enable(false, true);
    const PhysicalAddress table = 0x30000;
    ring.setDescriptorIn(table, 0, 0x20000, 12, DriverRing::next, 2);
    ring.setDescriptorIn(table, 2, 0x21000, 100, DriverRing::deviceWrites);
    ring.setDescriptor(4, table, 3 * 16, DriverRing::indirect);
    ring.offer(4);
    ASSERT_TRUE(queue.take(chain));
    EXPECT_EQ(chain.head, 4);
    EXPECT_EQ(chain.readableBytes(), 12u);
    EXPECT_EQ(chain.writableBytes(), 100u);
}

// What a driver must not do; the queue stands still until it is reset. VIRTIO 1.2, 2.7.5.3.1 and 2.7.4.2.
struct Misdeed {
    const char* name;
    void (*commit)(DriverRing&);
};
void PrintTo(const Misdeed& misdeed, std::ostream* out)
{
    *out << misdeed.name;
}

class VirtqueueMisdeed : public VirtqueueTest, public ::testing::WithParamInterface<Misdeed> { };

TEST_P(VirtqueueMisdeed, BreaksTheQueueUntilItsReset)
{
    enable(false, true);
    GetParam().commit(ring);
    EXPECT_FALSE(queue.take(chain));
    EXPECT_TRUE(queue.broken());
    EXPECT_FALSE(queue.hasBuffer());
    EXPECT_FALSE(queue.take(chain));
    enable(false, false);
    ring.setDescriptor(0, 0x20000, 4, 0);
    ring.setAvailableIndex(0);
    ring.offer(0);
    EXPECT_TRUE(queue.take(chain));
}

constexpr uint16_t endless = DriverRing::next | DriverRing::deviceWrites;
const std::vector<Misdeed> misdeeds {
    { "ALoop",
        [](DriverRing& ring) {
            ring.setDescriptor(0, 0x20000, 4, endless, 1);
            ring.setDescriptor(1, 0x20000, 4, endless, 0);
            ring.offer(0);
        } },
    { "AHeadBehindTheTable", [](DriverRing& ring) { ring.offer(8); } },
    { "ANextBehindTheTable",
        [](DriverRing& ring) {
            ring.setDescriptor(0, 0x20000, 4, DriverRing::next, 0xffff);
            ring.offer(0);
        } },
    { "MoreThanFits", [](DriverRing& ring) { ring.setAvailableIndex(9); } },
    { "AnIndexThatWentBack", [](DriverRing& ring) { ring.setAvailableIndex(0xffff); } },
    { "ReadingBehindWriting",
        [](DriverRing& ring) {
            ring.setDescriptor(0, 0x20000, 4, endless, 1);
            ring.setDescriptor(1, 0x20000, 4, 0);
            ring.offer(0);
        } },
    { "AnIndirectTableInAnIndirectTable",
        [](DriverRing& ring) {
            ring.setDescriptorIn(0x30000, 0, 0x30000, 16, DriverRing::indirect);
            ring.setDescriptor(0, 0x30000, 16, DriverRing::indirect);
            ring.offer(0);
        } },
    { "AnIndirectTableAndANext",
        [](DriverRing& ring) {
            ring.setDescriptorIn(0x30000, 0, 0x20000, 16, 0);
            ring.setDescriptor(0, 0x30000, 16, DriverRing::indirect | DriverRing::next, 1);
            ring.offer(0);
        } },
    { "AnEmptyIndirectTable",
        [](DriverRing& ring) {
            ring.setDescriptor(0, 0x30000, 0, DriverRing::indirect);
            ring.offer(0);
        } },
    { "HalfADescriptor",
        [](DriverRing& ring) {
            ring.setDescriptor(0, 0x30000, 24, DriverRing::indirect);
            ring.offer(0);
        } },
    { "ALoopInAHugeIndirectTable",
        [](DriverRing& ring) {
            ring.setDescriptorIn(0x30000, 0, 0x20000, 4, DriverRing::next, 0);
            ring.setDescriptor(0, 0x30000, 0xfffffff0, DriverRing::indirect);
            ring.offer(0);
        } },
};
INSTANTIATE_TEST_SUITE_P(Driver, VirtqueueMisdeed, ::testing::ValuesIn(misdeeds),
    [](const ::testing::TestParamInfo<Misdeed>& info) { return info.param.name; });

TEST_F(VirtqueueTest, RefusesAnIndirectTableThatWasNotAgreedUpon)
{
    ring.setDescriptor(0, 0x30000, 16, DriverRing::indirect);
    ring.offer(0);
    EXPECT_FALSE(queue.take(chain));
    EXPECT_TRUE(queue.broken());
}

TEST_F(VirtqueueTest, BearsRingsWhereThereIsNoMemory)
{
    for (const uint64_t nowhere : { uint64_t { 0x80000000 }, uint64_t { 0xfffffffe }, uint64_t { 1 } << 40,
             std::numeric_limits<uint64_t>::max() }) {
        queue.reset();
        queue.setup = { nowhere, nowhere, nowhere, size, 1 };
        EXPECT_FALSE(queue.take(chain)) << nowhere; // the ring reads as all ones
        queue.put(chain, 1);
        queue.publish();
        static_cast<void>(queue.interruptWanted());
        queue.askForNotification(true);
    }
}

// Whatever the memory holds: it ends, and chains stay within what the queue allows.
TEST_F(VirtqueueTest, BearsRandomRings)
{
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        enable(round & 1, round & 2);
        std::vector<uint8_t> noise(0x3000);
        for (uint8_t& byte : noise)
            byte = static_cast<uint8_t>(random() & random());
        board.memory().write(ring.descriptors(), noise);
        ring.setAvailableIndex(static_cast<uint16_t>(random() % (size + 1)));
        int taken = 0;
        while (queue.take(chain)) {
            ASSERT_LE(chain.readable.size() + chain.writable.size(), size);
            ASSERT_LE(++taken, size);
            queue.put(chain, 0);
        }
        queue.publish();
        static_cast<void>(queue.interruptWanted());
    }
}

TEST_F(VirtqueueTest, InterruptsUnlessTheDriverRefuses)
{
    ring.setDescriptor(0, 0x20000, 4, 0);
    EXPECT_FALSE(queue.interruptWanted()); // there is no news
    ring.offer(0);
    ASSERT_TRUE(queue.take(chain));
    queue.put(chain, 0);
    queue.publish();
    EXPECT_TRUE(queue.interruptWanted());
    EXPECT_FALSE(queue.interruptWanted());
    ring.refuseInterrupts();
    ring.offer(0);
    ASSERT_TRUE(queue.take(chain));
    queue.put(chain, 0);
    queue.publish();
    EXPECT_FALSE(queue.interruptWanted());
}

TEST_F(VirtqueueTest, InterruptsWhenTheUsedEventIsPassed) // 2.7.7.2
{
    enable(true, false);
    ring.setDescriptor(0, 0x20000, 4, 0);
    ring.setUsedEvent(2);
    std::vector<bool> wanted;
    for (int i = 0; i < 5; ++i) {
        ring.offer(0);
        ASSERT_TRUE(queue.take(chain));
        queue.put(chain, 0);
        queue.publish();
        wanted.push_back(queue.interruptWanted());
    }
    EXPECT_EQ(wanted, (std::vector<bool> { false, false, true, false, false }));
}

TEST_F(VirtqueueTest, AsksForNotification)
{
    queue.askForNotification(false);
    EXPECT_TRUE(ring.notificationsRefused());
    queue.askForNotification(true);
    EXPECT_FALSE(ring.notificationsRefused());

    enable(true, false);
    ring.setAvailableIndex(5); // so the sixth is news
    queue.askForNotification(true);
    EXPECT_EQ(ring.availableEvent(), 5);
}

} // namespace namsan
