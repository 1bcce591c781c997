// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/network/virtio_network.h"

#include "tests/support/bare_board.h"
#include "tests/support/virtio_driver.h"
#include "vmm/devices/network/internet_checksum.h"

#include <gtest/gtest.h>

#include <deque>
#include <numeric>
#include <random>

namespace namsan {

namespace {
// The other end of the cable: remembers what comes and gives what the test put there.
class RecordingLink final : public NetworkLink {
public:
    std::vector<NetworkFrame> sent;
    std::deque<NetworkFrame> waiting;
    bool full = false;

    size_t largestFrame() const override { return 14 + 65535; }
    bool transmit(NetworkFrame frame) override
    {
        if (!full)
            sent.push_back(std::move(frame));
        return !full;
    }
    bool receive(NetworkFrame& frame) override
    {
        if (waiting.empty())
            return false;
        frame = std::move(waiting.front());
        waiting.pop_front();
        return true;
    }
};

constexpr uint64_t checksum = 1 << 0;
constexpr uint64_t knownGood = 1 << 1;
constexpr uint64_t largeTcp = 1 << 11;
constexpr uint64_t merged = 1 << 15;
constexpr uint64_t controlled = 1 << 17 | 1 << 18;
constexpr uint64_t usual = virtio::version1 | virtio::eventIndex | virtio::indirectDescriptors | checksum | knownGood
    | largeTcp | merged | controlled;
constexpr size_t headerSize = 12;

NetworkFrame frameOf(size_t size, uint8_t first = 0x40)
{
    NetworkFrame frame(size);
    std::iota(frame.begin(), frame.end(), first);
    std::copy(VirtioNetwork::address.begin(), VirtioNetwork::address.end(), frame.begin());
    return frame;
}
} // namespace

class VirtioNetworkTest : public ::testing::Test {
protected:
    static constexpr uint16_t size = 16;
    static constexpr unsigned input = 5;
    enum Queue : uint16_t { Receive, Transmit, Control };

    BareBoard board;
    IrqLine line { board.interrupts(), input };
    RecordingLink link;
    VirtioNetwork card { board.mmio(), board.memory(), line, board.timers(), link };
    VirtioDriver driver { board.mmio(), card.function() };
    DriverRing receive { board.memory(), 0x10000, size };
    DriverRing transmit { board.memory(), 0x14000, size };
    DriverRing control { board.memory(), 0x18000, size };
    PhysicalAddress buffers = 0x40000;

    void start(uint64_t features = usual)
    {
        driver.find();
        ASSERT_TRUE(driver.accept(features));
        driver.setUp(Receive, receive, size);
        driver.setUp(Transmit, transmit, size);
        driver.setUp(Control, control, size);
        driver.go();
    }
    void send(std::vector<uint8_t> header, const NetworkFrame& frame)
    {
        header.resize(headerSize);
        board.memory().write(buffers, header);
        board.memory().write(buffers + 0x1000, frame);
        transmit.setDescriptor(0, buffers, headerSize, DriverRing::next, 1);
        transmit.setDescriptor(1, buffers + 0x1000, static_cast<uint32_t>(frame.size()), 0);
        transmit.offer(0);
        driver.notify(Transmit);
    }
    // count buffers of that size, one descriptor each.
    void offerReceiveBuffers(unsigned count, uint32_t bytes)
    {
        for (unsigned i = 0; i < count; ++i) {
            const auto index = static_cast<uint16_t>(receive.offered() % size);
            receive.setDescriptor(index, bufferOf(index), bytes, DriverRing::deviceWrites);
            receive.offer(index);
        }
        driver.notify(Receive);
    }
    PhysicalAddress bufferOf(unsigned index) const { return buffers + 0x20000 + index * 0x1000; }
    std::vector<uint8_t> read(PhysicalAddress from, size_t bytes)
    {
        std::vector<uint8_t> result(bytes);
        board.memory().read(from, result);
        return result;
    }
    void arrive(NetworkFrame frame)
    {
        link.waiting.push_back(std::move(frame));
        card.framesWait();
        board.advance(GuestTime::zero());
    }
    uint8_t order(const std::vector<uint8_t>& command)
    {
        board.memory().write(buffers, command);
        control.setDescriptor(0, buffers, static_cast<uint32_t>(command.size()), DriverRing::next, 1);
        control.setDescriptor(1, buffers + 0x800, 1, DriverRing::deviceWrites);
        control.offer(0);
        driver.notify(Control);
        return read(buffers + 0x800, 1)[0];
    }
};

TEST_F(VirtioNetworkTest, TellsItsAddressAndThatTheLinkIsUp) // 5.1.4
{
    start();
    for (uint32_t i = 0; i < 6; ++i)
        EXPECT_EQ(driver.deviceByte(i), VirtioNetwork::address[i]);
    EXPECT_EQ(driver.deviceByte(6), 1);
    EXPECT_EQ(driver.deviceByte(7), 0);
}

TEST_F(VirtioNetworkTest, SendsAFrame)
{
    start();
    const NetworkFrame frame = frameOf(100);
    send({}, frame);
    ASSERT_EQ(link.sent.size(), 1u);
    EXPECT_EQ(link.sent[0], frame);
    EXPECT_EQ(transmit.usedIndex(), 1);
    EXPECT_EQ(card.figures().framesSent, 1u);
    EXPECT_EQ(card.figures().bytesSent, 100u);
}

TEST_F(VirtioNetworkTest, CompletesAChecksum) // 5.1.6.2; the numbers of RFC 1071, 3
{
    start();
    NetworkFrame frame = frameOf(14);
    frame.insert(frame.end(), { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x00, 0x00 });
    send({ 1, 0, 0, 0, 0, 0, 14, 0, 8, 0 }, frame);
    ASSERT_EQ(link.sent.size(), 1u);
    EXPECT_EQ(link.sent[0][22], 0x22);
    EXPECT_EQ(link.sent[0][23], 0x0d);
    EXPECT_EQ(internetChecksum(std::span(link.sent[0]).subspan(14)), 0);
}

TEST_F(VirtioNetworkTest, WritesNoZeroForAChecksum) // which means "none" to UDP, RFC 768
{
    start();
    NetworkFrame frame = frameOf(14);
    frame.insert(frame.end(), { 0xff, 0xff, 0x00, 0x00 });
    send({ 1, 0, 0, 0, 0, 0, 14, 0, 2, 0 }, frame);
    ASSERT_EQ(link.sent.size(), 1u);
    EXPECT_EQ(link.sent[0][16], 0xff);
    EXPECT_EQ(link.sent[0][17], 0xff);
}

TEST_F(VirtioNetworkTest, PassesLargeTcpOnInOnePiece)
{
    start();
    const NetworkFrame frame = frameOf(4000);
    send({ 1, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0 }, frame);
    ASSERT_EQ(link.sent.size(), 1u);
    EXPECT_EQ(link.sent[0].size(), 4000u);
}

TEST_F(VirtioNetworkTest, DropsFramesThatMakeNoSense)
{
    start();
    const std::vector<std::vector<uint8_t>> headers {
        { 1, 0, 0, 0, 0, 0, 101, 0, 0, 0 }, // the checksum starts behind the end
        { 1, 0, 0, 0, 0, 0, 50, 0, 50, 0 }, // it is stored half behind the end
        { 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
        { 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, // segmentation without a checksum
        { 1, 3, 0, 0, 0, 0, 34, 0, 6, 0 }, // of UDP, which was not offered
        { 1, 4, 0, 0, 0, 0, 34, 0, 6, 0 }, // of IPv6
    };
    for (const auto& header : headers)
        send(header, frameOf(101));
    send({}, frameOf(13)); // no Ethernet header
    EXPECT_TRUE(link.sent.empty());
    EXPECT_EQ(card.figures().framesMalformed, headers.size() + 1);
    EXPECT_EQ(transmit.usedIndex(), headers.size() + 1); // the driver gets its buffers back
    EXPECT_FALSE(driver.status() & VirtioDriver::NeedsReset);
}

TEST_F(VirtioNetworkTest, DropsFramesOfAbsurdLength)
{
    start();
    for (uint16_t i = 0; i < size; ++i)
        transmit.setDescriptor(
            i, 0x3000, 0xffffffff, i + 1 < size ? DriverRing::next : 0, static_cast<uint16_t>(i + 1));
    transmit.offer(0);
    driver.notify(Transmit);
    EXPECT_TRUE(link.sent.empty());
    EXPECT_EQ(transmit.usedIndex(), 1);
}

TEST_F(VirtioNetworkTest, SendsWhereThereIsNoMemory)
{
    start();
    transmit.setDescriptor(0, ~uint64_t { 0 } - 20, 100, 0); // wraps around
    transmit.offer(0);
    driver.notify(Transmit);
    EXPECT_EQ(transmit.usedIndex(), 1);
    EXPECT_LE(link.sent.size(), 1u);
}

TEST_F(VirtioNetworkTest, CountsFramesForWhichTheCableHasNoRoom)
{
    start();
    link.full = true;
    send({}, frameOf(60));
    EXPECT_EQ(card.figures().framesLost, 1u);
    EXPECT_EQ(card.figures().framesSent, 0u);
    EXPECT_EQ(transmit.usedIndex(), 1);
}

TEST_F(VirtioNetworkTest, InterruptsAfterSendingAsTheDriverWishes)
{
    start();
    transmit.setUsedEvent(1); // after the second
    send({}, frameOf(60));
    EXPECT_FALSE(line.level());
    send({}, frameOf(60));
    EXPECT_TRUE(line.level());
    EXPECT_EQ(driver.interruptStatus(), 1);
    EXPECT_FALSE(line.level());
    EXPECT_EQ(card.figures().interrupts, 1u);
}

TEST_F(VirtioNetworkTest, StopsAtABrokenQueueUntilTheDriverResetsIt)
{
    start();
    transmit.setAvailableIndex(1000);
    driver.notify(Transmit);
    EXPECT_TRUE(driver.status() & VirtioDriver::NeedsReset);
    EXPECT_EQ(driver.interruptStatus() & 2, 2);
    transmit = DriverRing(board.memory(), 0x14000, size);
    start();
    send({}, frameOf(60));
    EXPECT_EQ(link.sent.size(), 1u);
}

TEST_F(VirtioNetworkTest, ReceivesAFrame) // 5.1.6.4
{
    start();
    offerReceiveBuffers(2, 1600);
    const NetworkFrame frame = frameOf(300);
    arrive(frame);
    ASSERT_EQ(receive.usedIndex(), 1);
    EXPECT_EQ(receive.usedLength(0), headerSize + 300);
    const auto header = read(bufferOf(0), headerSize);
    EXPECT_EQ(header[0], 2); // its checksums are good
    EXPECT_EQ(header[10], 1); // one buffer
    EXPECT_EQ(read(bufferOf(0) + headerSize, 300), frame);
    EXPECT_TRUE(line.level());
    EXPECT_EQ(card.figures().framesReceived, 1u);
    EXPECT_EQ(card.figures().bytesReceived, 300u);
}

TEST_F(VirtioNetworkTest, SaysNothingOfChecksumsToADriverThatDoesNotAsk)
{
    start(virtio::version1);
    offerReceiveBuffers(1, 1600);
    arrive(frameOf(60));
    EXPECT_EQ(receive.usedIndex(), 1);
    EXPECT_EQ(read(bufferOf(0), 1)[0], 0);
}

TEST_F(VirtioNetworkTest, SpreadsAFrameOverMergedBuffers)
{
    start();
    offerReceiveBuffers(4, 100);
    const NetworkFrame frame = frameOf(250);
    arrive(frame);
    ASSERT_EQ(receive.usedIndex(), 3);
    EXPECT_EQ(read(bufferOf(0), headerSize)[10], 3);
    EXPECT_EQ(receive.usedLength(0), 100u);
    EXPECT_EQ(receive.usedLength(1), 100u);
    EXPECT_EQ(receive.usedLength(2), 62u);
    EXPECT_EQ(read(bufferOf(2), 62), NetworkFrame(frame.end() - 62, frame.end()));
}

TEST_F(VirtioNetworkTest, WaitsForBuffers)
{
    start();
    offerReceiveBuffers(1, 100);
    const NetworkFrame frame = frameOf(250);
    arrive(frame);
    EXPECT_EQ(receive.usedIndex(), 0);
    EXPECT_EQ(receive.availableEvent(), 1); // it wants to hear of the next buffer
    offerReceiveBuffers(2, 100);
    board.advance(GuestTime::zero());
    EXPECT_EQ(receive.usedIndex(), 3);
    EXPECT_EQ(read(bufferOf(2), 62), NetworkFrame(frame.end() - 62, frame.end()));
}

TEST_F(VirtioNetworkTest, LosesAFrameThatNoBuffersHold)
{
    start(virtio::version1); // without merging one buffer has to do
    offerReceiveBuffers(2, 100);
    arrive(frameOf(250));
    EXPECT_EQ(receive.usedIndex(), 1);
    arrive(frameOf(60));
    EXPECT_EQ(receive.usedIndex(), 2);
    EXPECT_EQ(receive.usedLength(0), 0u);
    EXPECT_EQ(receive.usedLength(1), headerSize + 60);
    EXPECT_EQ(card.figures().framesLost, 1u);
}

TEST_F(VirtioNetworkTest, WritesWhereThereIsNoMemory)
{
    start();
    for (const uint64_t nowhere : { uint64_t { 0x80000000 }, ~uint64_t { 0 } - 8 }) {
        const auto index = static_cast<uint16_t>(receive.offered() % size);
        receive.setDescriptor(index, nowhere, 2000, DriverRing::deviceWrites);
        receive.offer(index);
        driver.notify(Receive);
        arrive(frameOf(250));
    }
    EXPECT_EQ(receive.usedIndex(), 2);
}

TEST_F(VirtioNetworkTest, LeavesFramesForOthersAlone)
{
    start();
    offerReceiveBuffers(3, 1600);
    NetworkFrame other = frameOf(60);
    other[5] ^= 1;
    arrive(other);
    EXPECT_EQ(receive.usedIndex(), 0);
    EXPECT_EQ(card.figures().framesFiltered, 1u);
    EXPECT_EQ(order({ 0, 0, 1 }), 0); // promiscuous
    arrive(other);
    EXPECT_EQ(receive.usedIndex(), 1);
    EXPECT_EQ(order({ 9, 9, 1 }), 1); // no such command
}

TEST_F(VirtioNetworkTest, RefusesCommandsOfAbsurdLength)
{
    start();
    for (const uint32_t length : { 0u, 1u, 0x100000u, 0xffffffffu }) {
        control.setDescriptor(0, buffers, length, DriverRing::next, 1);
        control.setDescriptor(1, buffers + 0x800, 1, DriverRing::deviceWrites);
        board.memory().fill(buffers + 0x800, 1, 0x77);
        control.offer(0);
        driver.notify(Control);
        EXPECT_EQ(read(buffers + 0x800, 1)[0], 1) << length;
    }
    control.setDescriptor(0, buffers, 3, 0); // no room for an answer
    control.offer(0);
    driver.notify(Control);
    EXPECT_EQ(control.usedIndex(), 5);
}

TEST_F(VirtioNetworkTest, HearsNothingWithoutADriver)
{
    arrive(frameOf(60));
    EXPECT_TRUE(link.waiting.empty());
    EXPECT_EQ(card.figures().framesLost, 1u);
    EXPECT_FALSE(line.level());
}

TEST_F(VirtioNetworkTest, DoesItsWorkInPortions)
{
    start();
    offerReceiveBuffers(size, 1600);
    for (unsigned i = 0; i < 3 * size; ++i)
        link.waiting.push_back(frameOf(60));
    NetworkFrame stranger = frameOf(60);
    stranger[5] ^= 1;
    link.waiting.insert(link.waiting.begin(), 10 * size, stranger);
    card.framesWait();
    board.timers().runDue();
    EXPECT_EQ(card.figures().framesFiltered, uint64_t { size });
    for (int i = 0; i < 20; ++i)
        board.timers().runDue();
    EXPECT_EQ(receive.usedIndex(), size);
    EXPECT_EQ(link.waiting.size(), 2u * size - 1); // and one waits in the card
}

TEST_F(VirtioNetworkTest, ComesBackFromASnapshot)
{
    start();
    offerReceiveBuffers(2, 1600);
    arrive(frameOf(60));
    EXPECT_EQ(order({ 0, 0, 1 }), 0);
    const Snapshot snapshot = board.save(card);
    card.reset();
    ASSERT_FALSE(line.level());
    ASSERT_TRUE(board.restore(card, snapshot));
    EXPECT_TRUE(line.level());
    NetworkFrame other = frameOf(70);
    other[5] ^= 1;
    arrive(other); // it is promiscuous, and goes on where it was in its rings
    EXPECT_EQ(receive.usedIndex(), 2);
    EXPECT_EQ(receive.usedLength(1), headerSize + 70);
    send({}, frameOf(60));
    EXPECT_EQ(link.sent.size(), 1u);
}

TEST_F(VirtioNetworkTest, RefusesATruncatedSnapshotAndKeepsItsState)
{
    start();
    const Snapshot snapshot = board.save(card);
    for (size_t length = 0; length < snapshot.size(); length += 5)
        EXPECT_FALSE(
            board.restore(card, Snapshot(snapshot.begin(), snapshot.begin() + static_cast<ptrdiff_t>(length))));
    EXPECT_EQ(board.save(card), snapshot);
    send({}, frameOf(60));
    EXPECT_EQ(link.sent.size(), 1u);
}

// A guest that writes anything anywhere: it ends, within bounds, and after a reset all is well.
TEST_F(VirtioNetworkTest, BearsARandomDriver)
{
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        start(random() % 2 ? usual : usual & ~merged);
        for (int step = 0; step < 40; ++step) {
            DriverRing* rings[] { &receive, &transmit, &control };
            DriverRing& ring = *rings[random() % 3];
            static constexpr uint64_t addresses[] { 0, 0x10000, 0x40000, 0x1fffff, 0x80000000, 0xffffffff,
                ~uint64_t { 0 } };
            static constexpr uint32_t lengths[] { 0, 1, 12, 16, 100, 1600, 70000, 0x7fffffff, 0xffffffff };
            ring.setDescriptor(static_cast<uint16_t>(random() % size), addresses[random() % 7], lengths[random() % 9],
                static_cast<uint16_t>(random() % 8), static_cast<uint16_t>(random() % (size + 1)));
            if (random() % 2)
                ring.offer(static_cast<uint16_t>(random() % size));
            if (random() % 16 == 0)
                ring.setAvailableIndex(static_cast<uint16_t>(random()));
            if (random() % 4 == 0 && link.waiting.size() < 10)
                link.waiting.push_back(frameOf(20 + random() % 3000));
            card.framesWait();
            driver.notify(static_cast<uint16_t>(random() % 3));
            board.timers().runDue();
        }
        link.sent.clear();
    }
    link.waiting.clear();
    receive = DriverRing(board.memory(), 0x10000, size);
    transmit = DriverRing(board.memory(), 0x14000, size);
    control = DriverRing(board.memory(), 0x18000, size);
    start();
    send({}, frameOf(60));
    EXPECT_EQ(link.sent.size(), 1u);
}

} // namespace namsan
