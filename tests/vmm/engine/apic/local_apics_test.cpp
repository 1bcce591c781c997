// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/apic/local_apics.h"

#include "vmm/engine/apic/local_apic_registers.h"

#include <gtest/gtest.h>

#include <vector>

namespace namsan {

using namespace std::chrono_literals;
using namespace apic_bit;

namespace {

class Pins final : public ApicProcessor {
public:
    void setApicRequest(bool level) override { request = level; }
    void apicNmi() override { ++nmis; }
    void apicInitialize() override { ++initializations; }
    void apicStartUp(uint8_t vector) override { startUps.push_back(vector); }
    void wake() override { ++wakes; }

    bool request = false;
    int nmis = 0;
    int initializations = 0;
    int wakes = 0;
    std::vector<uint8_t> startUps;
};

constexpr uint64_t page = apic_base::defaultAddress;
constexpr uint32_t timerVector = 0xef;

} // namespace

// Four processors, their local APICs switched on by software.
class LocalApicsTest : public ::testing::Test {
protected:
    LocalApicsTest()
    {
        for (unsigned n = 0; n < 4; ++n) {
            apics.connect(n, pins[n]);
            write(n, apic_register::spuriousVector, 0x1ff);
        }
    }

    uint32_t read(unsigned n, unsigned number)
    {
        return static_cast<uint32_t>(apics.read(n, page + 16 * uint64_t { number }, 4));
    }
    std::optional<uint8_t> write(unsigned n, unsigned number, uint32_t value)
    {
        return apics.write(n, page + 16 * uint64_t { number }, 4, value);
    }
    void sendIpi(unsigned from, uint32_t destination, uint32_t low)
    {
        write(from, apic_register::commandHigh, destination << 24);
        write(from, apic_register::commandLow, low);
    }
    unsigned requestsOf(uint8_t vector)
    {
        unsigned who = 0;
        for (unsigned n = 0; n < 4; ++n)
            who |= (read(n, apic_register::request + vector / 32) >> vector % 32 & 1) << n;
        return who;
    }
    static uint32_t mode(DeliveryMode mode) { return static_cast<uint32_t>(mode) << deliveryModeShift; }

    ManualClock clock;
    LocalApics apics { 4, { .x2Apic = true, .tscDeadline = true }, clock };
    Pins pins[4];
};

TEST_F(LocalApicsTest, TellsWhoItIs)
{
    EXPECT_EQ(read(3, apic_register::id), 3u << 24);
    EXPECT_EQ(read(0, apic_register::version), 0x00050014u);
    EXPECT_EQ(apics.readMsr(0, 0x1b), page | apic_base::globalEnable | apic_base::bootProcessor);
    EXPECT_EQ(apics.readMsr(1, 0x1b), page | apic_base::globalEnable);
}

TEST_F(LocalApicsTest, AnIpiGoesToWhomItNames)
{
    sendIpi(0, 2, 0x51);
    EXPECT_EQ(requestsOf(0x51), 0b0100u);
    EXPECT_TRUE(pins[2].request);
    EXPECT_GT(pins[2].wakes, 0);
    EXPECT_EQ(apics.acknowledge(2), 0x51);
    EXPECT_FALSE(pins[2].request);
    EXPECT_EQ(write(2, apic_register::endOfInterrupt, 0), std::nullopt); // an edge: nobody else is told
}

TEST_F(LocalApicsTest, ShorthandsAndBroadcasts)
{
    sendIpi(1, 0, 0x51 | 1 << shorthandShift);
    EXPECT_EQ(requestsOf(0x51), 0b0010u);
    sendIpi(1, 0, 0x52 | 2 << shorthandShift);
    EXPECT_EQ(requestsOf(0x52), 0b1111u);
    sendIpi(1, 0, 0x53 | 3 << shorthandShift);
    EXPECT_EQ(requestsOf(0x53), 0b1101u);
    sendIpi(1, 0xff, 0x54);
    EXPECT_EQ(requestsOf(0x54), 0b1111u);
}

TEST_F(LocalApicsTest, AnIpiToNobodyIsLost)
{
    sendIpi(0, 9, 0x51);
    EXPECT_EQ(requestsOf(0x51), 0u);
    EXPECT_FALSE(apics.send({ .destination = 200, .vector = 0x51 }));
}

TEST_F(LocalApicsTest, LogicalDestinationsInTheFlatModel)
{
    for (unsigned n = 0; n < 4; ++n)
        write(n, apic_register::logicalDestination, 1u << (24 + n));
    sendIpi(0, 0b1010, 0x61 | logicalDestination);
    EXPECT_EQ(requestsOf(0x61), 0b1010u);
}

TEST_F(LocalApicsTest, LogicalDestinationsInTheClusterModel)
{
    for (unsigned n = 0; n < 4; ++n) {
        write(n, apic_register::destinationFormat, 0x0fffffff);
        write(n, apic_register::logicalDestination, (n / 2) << 28 | 1u << (24 + n % 2));
    }
    sendIpi(0, 0x13, 0x61 | logicalDestination); // both of cluster 1
    EXPECT_EQ(requestsOf(0x61), 0b1100u);
    sendIpi(0, 0xf1, 0x62 | logicalDestination); // the first of each cluster
    EXPECT_EQ(requestsOf(0x62), 0b0101u);
}

TEST_F(LocalApicsTest, LowestPriorityChoosesTheLeastBusyAndTakesTurns)
{
    for (unsigned n = 0; n < 4; ++n)
        write(n, apic_register::logicalDestination, 1u << (24 + n));
    write(0, apic_register::taskPriority, 0x20);
    write(1, apic_register::taskPriority, 0x20);
    unsigned taken = 0;
    for (uint32_t vector = 0x71; vector < 0x75; ++vector) {
        sendIpi(0, 0x0f, vector | logicalDestination | mode(DeliveryMode::LowestPriority));
        const unsigned who = requestsOf(static_cast<uint8_t>(vector));
        EXPECT_EQ(std::popcount(who), 1);
        EXPECT_EQ(who & 0b0011, 0u);
        taken |= who;
    }
    EXPECT_EQ(taken, 0b1100u);
}

TEST_F(LocalApicsTest, PrioritiesDecideWhatIsDelivered)
{
    sendIpi(0, 1, 0x41);
    write(1, apic_register::taskPriority, 0x40); // the same class
    EXPECT_FALSE(pins[1].request);
    EXPECT_EQ(read(1, apic_register::processorPriority), 0x40u);
    write(1, apic_register::taskPriority, 0x3f);
    EXPECT_TRUE(pins[1].request);
    EXPECT_EQ(apics.acknowledge(1), 0x41);
    EXPECT_EQ(read(1, apic_register::processorPriority), 0x40u);
    sendIpi(0, 1, 0x4f); // waits for the end of its class
    EXPECT_FALSE(pins[1].request);
    sendIpi(0, 1, 0x51);
    EXPECT_TRUE(pins[1].request);
    EXPECT_EQ(apics.acknowledge(1), 0x51);
    write(1, apic_register::endOfInterrupt, 0);
    EXPECT_FALSE(pins[1].request);
    write(1, apic_register::endOfInterrupt, 0);
    EXPECT_EQ(apics.acknowledge(1), 0x4f);
}

TEST_F(LocalApicsTest, ARequestThatHasGoneIsSpurious)
{
    sendIpi(0, 1, 0x41);
    write(1, apic_register::taskPriority, 0xf0);
    EXPECT_EQ(apics.acknowledge(1), 0xff);
    EXPECT_EQ(read(1, apic_register::inService + 7), 0u);
}

TEST_F(LocalApicsTest, LevelTriggeredMessagesEndWithABroadcast)
{
    EXPECT_TRUE(apics.send({ .destination = 1, .vector = 0x41, .levelTriggered = true }));
    EXPECT_EQ(read(1, apic_register::triggerMode + 2), 2u);
    EXPECT_EQ(apics.acknowledge(1), 0x41);
    EXPECT_EQ(write(1, apic_register::endOfInterrupt, 0), 0x41);
}

TEST_F(LocalApicsTest, InitializeStartUpAndNmiReachTheProcessor)
{
    sendIpi(0, 1, mode(DeliveryMode::Initialize) | assertLevel | levelTriggered);
    sendIpi(0, 1, mode(DeliveryMode::Initialize) | levelTriggered); // the level's end is nothing
    EXPECT_EQ(pins[1].initializations, 1);
    sendIpi(0, 1, mode(DeliveryMode::StartUp) | 0x9f);
    EXPECT_EQ(pins[1].startUps, std::vector<uint8_t> { 0x9f });
    sendIpi(0, 0, mode(DeliveryMode::Nmi) | 3 << shorthandShift);
    EXPECT_EQ(pins[0].nmis, 0);
    EXPECT_EQ(pins[3].nmis, 1);
}

TEST_F(LocalApicsTest, IllegalVectorsAndRegistersAreErrors)
{
    write(0, apic_register::localVectors + 5, 0xfe);
    sendIpi(0, 1, 0x0f);
    EXPECT_TRUE(pins[0].request); // the error's own interrupt
    EXPECT_EQ(read(0, apic_register::errorStatus), 0u);
    write(0, apic_register::errorStatus, 0);
    EXPECT_EQ(read(0, apic_register::errorStatus), sendIllegalVector);
    read(0, 0x3a);
    write(0, apic_register::errorStatus, 0);
    EXPECT_EQ(read(0, apic_register::errorStatus), illegalRegister);
    apics.send({ .destination = 0, .vector = 3 });
    write(0, apic_register::errorStatus, 0);
    EXPECT_EQ(read(0, apic_register::errorStatus), receiveIllegalVector);
}

TEST_F(LocalApicsTest, AnErrorVectorThatIsIllegalItselfDoesNotGoRound)
{
    write(0, apic_register::localVectors + 5, 0x05);
    sendIpi(0, 1, 0x01);
    write(0, apic_register::errorStatus, 0);
    EXPECT_EQ(read(0, apic_register::errorStatus), sendIllegalVector | receiveIllegalVector);
}

TEST_F(LocalApicsTest, SwitchedOffBySoftwareItTakesNoVectors)
{
    write(1, apic_register::spuriousVector, 0xff);
    sendIpi(0, 1, 0x41);
    EXPECT_EQ(requestsOf(0x41), 0u);
    write(1, apic_register::localVectors, timerVector);
    EXPECT_EQ(read(1, apic_register::localVectors), timerVector | masked);
    sendIpi(0, 1, mode(DeliveryMode::Nmi));
    EXPECT_EQ(pins[1].nmis, 1);
}

TEST_F(LocalApicsTest, TheTimerInterruptsAtItsDeadline)
{
    std::vector<GuestTime> told;
    apics.setDeadlineMoved([&told](GuestTime delay) { told.push_back(delay); });
    write(2, apic_register::divideConfiguration, 0xb);
    write(2, apic_register::localVectors, timerVector | 1 << timerModeShift);
    write(2, apic_register::initialCount, 4'000'000);
    EXPECT_EQ(told, std::vector<GuestTime> { 4ms });
    EXPECT_EQ(apics.nextDeadline(), 4ms);
    clock.advance(4ms);
    apics.runDue();
    EXPECT_EQ(apics.acknowledge(2), timerVector);
    EXPECT_EQ(apics.nextDeadline(), 8ms);
    write(2, apic_register::localVectors, timerVector | masked);
    EXPECT_FALSE(apics.nextDeadline());
}

TEST_F(LocalApicsTest, AMaskedTimersEndIsNotHeardLater)
{
    write(0, apic_register::divideConfiguration, 0xb);
    write(0, apic_register::localVectors, timerVector | masked);
    write(0, apic_register::initialCount, 1000);
    clock.advance(5us);
    write(0, apic_register::localVectors, timerVector);
    apics.runDue();
    EXPECT_FALSE(pins[0].request);
}

TEST_F(LocalApicsTest, TheVirtualWireAsksThe8259s)
{
    LocalApicState state = apics.save(0);
    state.becomeVirtualWire();
    apics.load(0, state);
    apics.setLocalInput(0, 0, true);
    EXPECT_TRUE(pins[0].request);
    EXPECT_EQ(apics.acknowledge(0), std::nullopt);
    apics.setLocalInput(0, 0, false);
    EXPECT_FALSE(pins[0].request);
    EXPECT_TRUE(apics.send({ .destination = 0, .mode = DeliveryMode::External }));
    EXPECT_TRUE(pins[0].request);
    EXPECT_EQ(apics.acknowledge(0), std::nullopt);
    EXPECT_FALSE(pins[0].request);
}

TEST_F(LocalApicsTest, DisabledAltogetherItIsAWire)
{
    EXPECT_TRUE(apics.writeMsr(1, 0x1b, page).done);
    EXPECT_FALSE(apics.isEnabled(1));
    EXPECT_FALSE(apics.ownsAddress(1, page));
    EXPECT_TRUE(apics.ownsAddress(0, page));
    apics.setLocalInput(1, 0, true);
    EXPECT_TRUE(pins[1].request);
    apics.setLocalInput(1, 1, true);
    EXPECT_EQ(pins[1].nmis, 1);
    sendIpi(0, 0, 0x51 | 2 << shorthandShift);
    EXPECT_TRUE(apics.writeMsr(1, 0x1b, page | apic_base::globalEnable).done);
    EXPECT_EQ(requestsOf(0x51) & 0b0010, 0u);
}

TEST_F(LocalApicsTest, X2ApicModeHasRegistersOfItsOwn)
{
    constexpr uint64_t x2 = page | apic_base::globalEnable | apic_base::x2ApicEnable;
    EXPECT_FALSE(apics.readMsr(1, 0x802));
    EXPECT_TRUE(apics.writeMsr(1, 0x1b, x2).done);
    EXPECT_FALSE(apics.ownsAddress(1, page));
    EXPECT_EQ(apics.readMsr(1, 0x802), 1u);
    EXPECT_EQ(apics.readMsr(1, 0x80d), 0b10u); // its LDR follows from its ID
    EXPECT_FALSE(apics.readMsr(1, 0x80e));
    EXPECT_FALSE(apics.writeMsr(1, 0x80b, 1).done); // reserved bits
    EXPECT_TRUE(apics.writeMsr(1, 0x830, uint64_t { 3 } << 32 | 0x51).done);
    EXPECT_EQ(requestsOf(0x51), 0b1000u);
    EXPECT_TRUE(apics.writeMsr(1, 0x83f, 0x52).done);
    EXPECT_EQ(apics.acknowledge(1), 0x52);
    EXPECT_TRUE(apics.writeMsr(1, 0x830, uint64_t { 0xffffffff } << 32 | 0x53).done);
    EXPECT_EQ(requestsOf(0x53) & 0b1101, 0b1101u);
    EXPECT_FALSE(apics.writeMsr(1, 0x1b, page | apic_base::globalEnable).done); // no way straight back
    EXPECT_TRUE(apics.writeMsr(1, 0x1b, page).done);
}

TEST_F(LocalApicsTest, ComesBackFromItsState)
{
    write(1, apic_register::divideConfiguration, 0xb);
    write(1, apic_register::localVectors, timerVector | 1 << timerModeShift);
    write(1, apic_register::initialCount, 1'000'000);
    sendIpi(0, 1, 0x41);
    clock.advance(250us);
    const LocalApicState state = apics.save(1);
    EXPECT_EQ(state.currentCount, 750'000u);

    LocalApics others { 2, { .x2Apic = true, .tscDeadline = true }, clock };
    Pins pin;
    others.connect(1, pin);
    others.load(1, state);
    EXPECT_TRUE(pin.request);
    EXPECT_EQ(others.nextDeadline(), 1ms);
    EXPECT_EQ(others.save(1), state);
}

} // namespace namsan
