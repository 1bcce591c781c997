// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/virtio/virtio_pci_function.h"

#include "tests/support/bare_board.h"
#include "tests/support/virtio_driver.h"

#include <gtest/gtest.h>

#include <random>

namespace namsan {

namespace {
// A kind of device that only remembers.
class Recorder final : public VirtioModel {
public:
    static constexpr uint64_t feature = 1 << 5;

    std::vector<unsigned> notified;
    int resets = 0;

    uint64_t offeredFeatures() const override { return feature; }
    uint8_t configurationByte(uint32_t offset) const override
    {
        return offset < 4 ? static_cast<uint8_t>(0xa0 + offset) : 0;
    }
    void queueNotified(unsigned queue) override { notified.push_back(queue); }
    void driverReset() override { ++resets; }
};
} // namespace

class VirtioPciFunctionTest : public ::testing::Test {
protected:
    static constexpr uint64_t basic = virtio::version1;

    BareBoard board;
    IrqLine line { board.interrupts(), 3 };
    Recorder recorder;
    VirtioPciFunction function { board.mmio(), board.memory(), line,
        { .deviceType = 1, .classCode = 0x020000, .queues = 2 }, recorder };
    VirtioDriver driver { board.mmio(), function };
    DriverRing ring { board.memory(), 0x10000, 16 };

    void start()
    {
        driver.find();
        ASSERT_TRUE(driver.accept(basic));
        driver.setUp(0, ring, 16);
        driver.go();
        recorder.notified.clear();
    }
    uint32_t configuration(uint8_t offset, Width width = Width::Dword)
    {
        return function.readConfiguration(offset, width);
    }
    Snapshot saved()
    {
        Snapshot snapshot;
        StateWriter writer(snapshot);
        function.save(writer);
        return snapshot;
    }
};

TEST_F(VirtioPciFunctionTest, SaysWhatItIs) // 4.1.2
{
    EXPECT_EQ(configuration(pci::vendorId), 0x10411af4u);
    EXPECT_EQ(configuration(pci::revisionId), 0x02000001u);
    EXPECT_EQ(configuration(pci::status, Width::Word) & pci::capabilitiesList, pci::capabilitiesList);
    EXPECT_EQ(configuration(pci::interruptPin, Width::Byte), 1u);
    driver.find();
    for (unsigned type = 1; type <= 4; ++type)
        EXPECT_NE(driver.part(type), 0u) << type;
    EXPECT_EQ(driver.notifyMultiplier(), 4u);
    EXPECT_EQ(driver.read(VirtioDriver::NumQueues, 2), 2u);
    EXPECT_EQ(driver.offeredFeatures(),
        Recorder::feature | virtio::version1 | virtio::eventIndex | virtio::indirectDescriptors);
    EXPECT_EQ(driver.deviceByte(2), 0xa2);
}

TEST_F(VirtioPciFunctionTest, TellsTheSizeOfItsWindow) // PCI 2.1, 6.2.5.1
{
    function.writeConfiguration(pci::baseAddress, Width::Dword, 0xffffffff);
    EXPECT_EQ(configuration(pci::baseAddress), 0xffffc000u);
}

TEST_F(VirtioPciFunctionTest, AcceptsWhatItOffersOnly) // 2.2.2, 3.1.1
{
    driver.find();
    EXPECT_TRUE(driver.accept(basic | Recorder::feature));
    EXPECT_EQ(function.features(), basic | Recorder::feature);
    EXPECT_FALSE(driver.accept(basic | 1 << 6));
    EXPECT_FALSE(driver.accept(Recorder::feature)); // a driver for version 1 has to say so
    EXPECT_EQ(function.features(), 0u);
}

TEST_F(VirtioPciFunctionTest, KeepsFeaturesAndQueuesOnceTheyAreSet)
{
    start();
    driver.write(VirtioDriver::DriverFeatureSelect, 4, 0);
    driver.write(VirtioDriver::DriverFeature, 4, 0xffffffff);
    EXPECT_EQ(function.features(), basic);
    driver.write(VirtioDriver::QueueSelect, 2, 0);
    driver.write(VirtioDriver::QueueSize, 2, 4);
    driver.write(VirtioDriver::QueueDesc, 4, 0x1234000);
    driver.write(VirtioDriver::QueueEnable, 2, 0);
    EXPECT_EQ(driver.read(VirtioDriver::QueueSize, 2), 16u);
    EXPECT_EQ(driver.read(VirtioDriver::QueueDesc, 4), ring.descriptors());
    EXPECT_EQ(driver.read(VirtioDriver::QueueEnable, 2), 1u);
}

TEST_F(VirtioPciFunctionTest, TakesSizesThatArePowersOfTwo)
{
    driver.find();
    ASSERT_TRUE(driver.accept(basic));
    driver.write(VirtioDriver::QueueSelect, 2, 1);
    EXPECT_EQ(driver.read(VirtioDriver::QueueSize, 2), Virtqueue::largestSize);
    for (const uint32_t no : { 0u, 3u, 100u, 512u, 0xffffu }) {
        driver.write(VirtioDriver::QueueSize, 2, no);
        EXPECT_EQ(driver.read(VirtioDriver::QueueSize, 2), Virtqueue::largestSize) << no;
    }
    driver.write(VirtioDriver::QueueSize, 2, 32);
    EXPECT_EQ(driver.read(VirtioDriver::QueueSize, 2), 32u);
    EXPECT_EQ(driver.read(VirtioDriver::QueueNotifyOff, 2), 1u);
}

TEST_F(VirtioPciFunctionTest, HasNoFurtherQueues)
{
    driver.find();
    driver.write(VirtioDriver::QueueSelect, 2, 2);
    EXPECT_EQ(driver.read(VirtioDriver::QueueSize, 2), 0u);
    driver.write(VirtioDriver::QueueEnable, 2, 1);
    driver.write(VirtioDriver::QueueSelect, 2, 0xffff);
    EXPECT_EQ(driver.read(VirtioDriver::QueueEnable, 2), 0u);
    driver.notify(2);
    EXPECT_TRUE(recorder.notified.empty());
}

TEST_F(VirtioPciFunctionTest, PassesNotificationsOnWhileItRuns)
{
    driver.find();
    ASSERT_TRUE(driver.accept(basic));
    driver.notify(0);
    EXPECT_TRUE(recorder.notified.empty()); // before DRIVER_OK
    driver.go();
    EXPECT_EQ(recorder.notified, (std::vector<unsigned> { 0, 1 })); // what was offered before
    driver.notify(1);
    EXPECT_EQ(recorder.notified.back(), 1u);
    EXPECT_EQ(recorder.notified.size(), 3u);
}

TEST_F(VirtioPciFunctionTest, ReachesNoMemoryWithoutBeingBusMaster)
{
    start();
    function.writeConfiguration(pci::command, Width::Word, pci::memorySpace);
    EXPECT_FALSE(function.running());
    driver.notify(0);
    EXPECT_TRUE(recorder.notified.empty());
    function.writeConfiguration(pci::command, Width::Word, pci::memorySpace | pci::busMaster);
    EXPECT_EQ(recorder.notified, (std::vector<unsigned> { 0, 1 }));
}

TEST_F(VirtioPciFunctionTest, InterruptsUntilTheStatusIsRead) // 4.1.4.5
{
    start();
    function.raiseQueueInterrupt();
    EXPECT_TRUE(line.level());
    EXPECT_EQ(driver.interruptStatus(), 1);
    EXPECT_FALSE(line.level());
    EXPECT_EQ(driver.interruptStatus(), 0);
}

TEST_F(VirtioPciFunctionTest, HoldsItsInterruptBackWhenTold) // PCI 2.3, 6.2.2
{
    start();
    constexpr uint32_t open = pci::memorySpace | pci::busMaster;
    function.writeConfiguration(pci::command, Width::Word, open | pci::interruptDisable);
    function.raiseQueueInterrupt();
    EXPECT_FALSE(line.level());
    function.writeConfiguration(pci::command, Width::Word, open);
    EXPECT_TRUE(line.level());
}

TEST_F(VirtioPciFunctionTest, NeedsAResetAfterTheDriversMistake) // 2.1.2
{
    start();
    function.needReset();
    EXPECT_TRUE(driver.status() & VirtioDriver::NeedsReset);
    EXPECT_FALSE(function.running());
    EXPECT_EQ(driver.interruptStatus(), 2);
    driver.go();
    EXPECT_FALSE(function.running());
    driver.setStatus(0);
    EXPECT_EQ(driver.status(), 0);
    EXPECT_EQ(recorder.resets, 2); // accept() began with one
    EXPECT_EQ(driver.read(VirtioDriver::QueueEnable, 2), 0u);
}

TEST_F(VirtioPciFunctionTest, CanBeDrivenThroughItsConfigurationSpace) // 4.1.4.9
{
    driver.find();
    function.writeConfiguration(pci::command, Width::Word, 0); // the window is closed
    EXPECT_EQ(board.mmio().read(driver.part(1), 4), 0xffffffffu);
    uint8_t at = static_cast<uint8_t>(configuration(pci::capabilitiesPointer, Width::Byte));
    while (configuration(at) >> 24 != 5) {
        at = static_cast<uint8_t>(configuration(at) >> 8);
        ASSERT_NE(at, 0);
    }
    const auto field = [at](unsigned offset) { return static_cast<uint8_t>(at + offset); };
    const auto choose = [&](uint32_t offset, uint32_t length) {
        function.writeConfiguration(field(4), Width::Byte, 0);
        function.writeConfiguration(field(8), Width::Dword, offset);
        function.writeConfiguration(field(12), Width::Dword, length);
    };
    choose(VirtioDriver::NumQueues, 2);
    EXPECT_EQ(configuration(field(16), Width::Word), 2u);
    choose(VirtioDriver::DeviceStatus, 1);
    function.writeConfiguration(field(16), Width::Byte, VirtioDriver::Acknowledge);
    EXPECT_EQ(configuration(field(16), Width::Byte), uint32_t { VirtioDriver::Acknowledge });
    for (const auto& [offset, length] : { std::pair(0xffffffffu, 4u), std::pair(0x3ffeu, 4u), std::pair(0u, 3u),
             std::pair(0xfffffffcu, 4u), std::pair(0u, 0u) }) {
        choose(offset, length);
        function.writeConfiguration(field(16), Width::Dword, 0xffffffff);
        static_cast<void>(configuration(field(16)));
    }
    choose(VirtioDriver::DeviceStatus, 1);
    EXPECT_EQ(configuration(field(16), Width::Byte), uint32_t { VirtioDriver::Acknowledge });
}

TEST_F(VirtioPciFunctionTest, MovesWithItsBar)
{
    start();
    function.writeConfiguration(pci::baseAddress, Width::Dword, 0xf8000000);
    EXPECT_EQ(board.mmio().read(driver.part(1) + VirtioDriver::NumQueues, 2), 0xffffu);
    EXPECT_EQ(board.mmio().read(0xf8000000 + VirtioDriver::NumQueues, 2), 2u);
    function.reset();
    EXPECT_EQ(board.mmio().read(0xf8000000 + VirtioDriver::NumQueues, 2), 0xffffu);
}

TEST_F(VirtioPciFunctionTest, ComesBackFromASnapshot)
{
    start();
    function.raiseQueueInterrupt();
    const Snapshot snapshot = saved();
    function.reset();
    ASSERT_FALSE(line.level());
    StateReader reader(snapshot);
    ASSERT_TRUE(function.restore(reader, "device").ok());
    EXPECT_TRUE(line.level());
    EXPECT_TRUE(function.running());
    EXPECT_EQ(driver.read(VirtioDriver::QueueDesc, 4), ring.descriptors());
    EXPECT_EQ(saved(), snapshot);
}

TEST_F(VirtioPciFunctionTest, RefusesATruncatedOrImpossibleSnapshotAndKeepsItsState)
{
    start();
    const Snapshot before = saved();
    for (size_t length = 0; length < before.size(); length += 7) {
        StateReader reader({ before.data(), length });
        EXPECT_FALSE(function.restore(reader, "device").ok()) << length;
    }
    Snapshot otherDevice = before;
    otherDevice[0] ^= 1;
    StateReader reader(otherDevice);
    EXPECT_FALSE(function.restore(reader, "device").ok());
    EXPECT_EQ(saved(), before);
}

TEST_F(VirtioPciFunctionTest, BearsRandomAccesses)
{
    start();
    std::mt19937 generator(7);
    const auto random = [&] { return static_cast<uint32_t>(generator()); };
    for (int i = 0; i < 200000; ++i) {
        const unsigned size = 1u << random() % 4;
        const uint32_t address = VirtioDriver::window + random() % 0x4000 / size * size;
        if (random() % 2)
            board.mmio().write(address, size, random());
        else
            static_cast<void>(board.mmio().read(address, size));
        const auto offset = static_cast<uint8_t>(random() % 64 * 4);
        if (random() % 8 == 0)
            function.writeConfiguration(
                offset, Width::Dword, offset == pci::baseAddress ? VirtioDriver::window : random());
    }
    function.reset();
    start();
    EXPECT_TRUE(function.running());
}

} // namespace namsan
