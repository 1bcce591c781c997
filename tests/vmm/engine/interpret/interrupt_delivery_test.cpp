// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/interrupt_delivery.h"

#include "tests/vmm/engine/processor_bench.h"

#include <gtest/gtest.h>

namespace namsan {

class InterruptDeliveryTest : public ::testing::Test, protected ProcessorBench {
protected:
    static constexpr uint8_t interruptGate32 = 0x8e;
    static constexpr uint8_t trapGate32 = 0x8f;
    static constexpr uint8_t interruptGate16 = 0x86;
    static constexpr uint8_t level3 = 0x60;
    static constexpr uint32_t handler = 0x7000;
    static constexpr uint32_t flags = eflags::alwaysOne | eflags::interruptEnable | eflags::trap | eflags::carry;

    InterruptDeliveryTest()
    {
        enterProtectedMode();
        cpu.nextEip = 0x5002;
        cpu.setEflags(flags);
    }

    void setAllGates(uint8_t access = interruptGate32)
    {
        for (unsigned vector = 0; vector < 0x40; ++vector)
            setGate(static_cast<uint8_t>(vector), makeGate(kernelCode, handler + 16 * vector, access));
    }
    // Which vector's handler runs now, of those that setAllGates() made.
    unsigned enteredVector() const { return (cpu.nextEip - handler) / 16; }
    uint32_t onStack(unsigned index) const { return get32(cpu.gpr[Esp] + 4 * index); }

    bool isTripleFault(const Fault& fault)
    {
        try {
            deliverException(cpu, fault);
        } catch (const TripleFault&) {
            return true;
        }
        return false;
    }
};

TEST_F(InterruptDeliveryTest, InterruptGateOfTheSameLevel)
{
    setAllGates();
    deliverInterrupt(cpu, 0x20);
    EXPECT_EQ(enteredVector(), 0x20u);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 12);
    EXPECT_EQ(onStack(0), 0x5000u);
    EXPECT_EQ(onStack(1), kernelCode);
    EXPECT_EQ(onStack(2), flags);
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::carry);
    EXPECT_TRUE(cpu.leaveBlock);
}

TEST_F(InterruptDeliveryTest, TrapGatesLeaveInterruptsOn)
{
    setAllGates(trapGate32);
    deliverInterrupt(cpu, 0x20);
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::carry | eflags::interruptEnable);
}

TEST_F(InterruptDeliveryTest, SixteenBitGatesPushWordsAndHaveWordOffsets)
{
    setGate(0x20, makeGate(kernelCode, 0xabcd7000, interruptGate16));
    deliverInterrupt(cpu, 0x20);
    EXPECT_EQ(cpu.nextEip, 0x7000u);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 6);
    EXPECT_EQ(get<uint16_t>(kernelStack - 6), 0x5000);
    EXPECT_EQ(get<uint16_t>(kernelStack - 4), kernelCode);
    EXPECT_EQ(get<uint16_t>(kernelStack - 2), flags);
}

TEST_F(InterruptDeliveryTest, InwardSwitchesToTheTasksStackAndIretComesBack)
{
    setAllGates();
    enterLevel3();
    const CpuState before = cpu.save();
    deliverInterrupt(cpu, 0x20);
    EXPECT_EQ(cpu.cpl, 0);
    EXPECT_EQ(cpu.segments[Cs].state.selector, kernelCode);
    EXPECT_EQ(cpu.segments[Ss].state.selector, kernelData);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 20);
    EXPECT_EQ(onStack(0), 0x5000u);
    EXPECT_EQ(onStack(1), userCode);
    EXPECT_EQ(onStack(2), flags);
    EXPECT_EQ(onStack(3), userStack);
    EXPECT_EQ(onStack(4), userData);

    step({ 0xcf });
    EXPECT_EQ(cpu.save(), before);
    EXPECT_EQ(cpu.cpl, 3);
}

TEST_F(InterruptDeliveryTest, InwardThroughATaskOf16Bits)
{
    setAllGates();
    cpu.tr = { taskState, 0x83, tss, 0x2b };
    put<uint16_t>(tss + 2, 0x7800);
    put<uint16_t>(tss + 4, kernelData);
    enterLevel3();
    deliverInterrupt(cpu, 0x20);
    EXPECT_EQ(cpu.gpr[Esp], 0x7800u - 20);
}

TEST_F(InterruptDeliveryTest, PushesSupervisorOnlyStacksFromLevel3)
{
    enablePaging();
    setPage(kernelStack - 0x1000, (kernelStack - 0x1000) | 3);
    setPage(gdt, gdt | 3);
    setPage(idt, idt | 3);
    setPage(tss, tss | 3);
    setAllGates();
    enterLevel3();
    deliverInterrupt(cpu, 0x20);
    EXPECT_EQ(enteredVector(), 0x20u);
    EXPECT_EQ(counters.pageFaults.value(), 0u);
}

TEST_F(InterruptDeliveryTest, ErrorCodesGoOnTopAndFaultsSetResume)
{
    setAllGates();
    deliverException(cpu, { Exception::PageFault, 6 });
    EXPECT_EQ(enteredVector(), 14u);
    EXPECT_EQ(onStack(0), 6u);
    EXPECT_EQ(onStack(1), 0x5000u);
    EXPECT_EQ(onStack(3), flags | eflags::resume);
    EXPECT_EQ(counters.exceptions.value(), 1u);

    deliverException(cpu, { Exception::InvalidOpcode, {} });
    EXPECT_EQ(enteredVector(), 6u);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 16 - 12);
}

TEST_F(InterruptDeliveryTest, SoftwareInterruptsReturnBehindThemselves)
{
    setAllGates();
    step({ 0xcd, 0x30 });
    EXPECT_EQ(enteredVector(), 0x30u);
    EXPECT_EQ(onStack(0), 0x5002u);
    cpu.eip = 0x5000;
    step({ 0xcc });
    EXPECT_EQ(enteredVector(), 3u);
    EXPECT_EQ(onStack(0), 0x5001u);
}

TEST_F(InterruptDeliveryTest, IntoInterruptsOnOverflowOnly)
{
    setAllGates();
    step({ 0xce });
    EXPECT_EQ(cpu.eip, 0x5001u);
    cpu.setEflags(flags | eflags::overflow);
    step({ 0xce });
    EXPECT_EQ(enteredVector(), 4u);
}

TEST_F(InterruptDeliveryTest, TheGatesLevelCountsForSoftwareInterruptsAlone)
{
    setAllGates();
    enterLevel3();
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), generalProtection(0x30 * 8 + 2));
    EXPECT_EQ(faultOfStep({ 0xcc }), generalProtection(3 * 8 + 2));
    EXPECT_EQ(cpu.eip, 0x5000u);
    setGate(0x30, makeGate(kernelCode, handler, interruptGate32 | level3));
    EXPECT_FALSE(faultOfStep({ 0xcd, 0x30 }));
    enterLevel3();
    EXPECT_FALSE(faultOfStep({ 0xf1 })) << "INT1 is no software interrupt";
    EXPECT_EQ(enteredVector(), 1u);
}

TEST_F(InterruptDeliveryTest, FaultsOfSoftwareInterruptsNameTheGate)
{
    cpu.idtr.limit = 0x30 * 8 + 6;
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), generalProtection(0x182));
    cpu.idtr.limit = 0x7ff;
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), generalProtection(0x182)) << "an empty descriptor is no gate";
    setGate(0x30, makeGate(kernelCode, handler, interruptGate32 & ~notPresent));
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), fault(Exception::SegmentNotPresent, 0x182));
    setGate(0x30, makeGate(0, handler, interruptGate32));
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), generalProtection());
    setGate(0x30, makeGate(kernelData, handler, interruptGate32));
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), generalProtection(kernelData));
    setGate(0x30, makeGate(userCode, handler, interruptGate32));
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), generalProtection(userCode & ~3)) << "never outward";
    setDescriptor(spare, makeDescriptor(0, 0x6fff, code0, 0x4));
    setGate(0x30, makeGate(spare, handler, interruptGate32));
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), generalProtection()) << "beyond the limit";
    EXPECT_EQ(cpu.gpr[Esp], kernelStack);
    EXPECT_EQ(cpu.eflags(), flags);
}

TEST_F(InterruptDeliveryTest, TaskStateProblemsAreInvalidTss)
{
    setGate(0x30, makeGate(kernelCode, handler, interruptGate32 | level3));
    enterLevel3();
    cpu.tr.limit = 8;
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), fault(Exception::InvalidTss, taskState));
    cpu.tr.limit = 9;
    put<uint16_t>(tss + 8, userData);
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), fault(Exception::InvalidTss, userData & ~3));
    put<uint16_t>(tss + 8, 0);
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), fault(Exception::InvalidTss, 0));
    setDescriptor(spare, makeDescriptor(0, 0xfffff, data0 & ~notPresent));
    put<uint16_t>(tss + 8, spare);
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), fault(Exception::StackFault, spare));
    setDescriptor(spare, makeDescriptor(0, 0xff, data0, 0x4));
    EXPECT_EQ(faultOfStep({ 0xcd, 0x30 }), fault(Exception::StackFault, spare)) << "no room";
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.gpr[Esp], userStack);
}

TEST_F(InterruptDeliveryTest, AnInterruptThatCannotBeDeliveredBecomesItsFault)
{
    setAllGates();
    setGate(0x30, 0);
    deliverInterrupt(cpu, 0x30);
    EXPECT_EQ(enteredVector(), 13u);
    EXPECT_EQ(onStack(0), 0x30u * 8 + 2 + 1) << "EXT: the program did not cause it";
    EXPECT_EQ(onStack(1), 0x5000u);
}

TEST_F(InterruptDeliveryTest, ContributoryAfterContributoryIsADoubleFault)
{
    setAllGates();
    setGate(13, 0);
    deliverException(cpu, { Exception::GeneralProtection, 0x10 });
    EXPECT_EQ(enteredVector(), 8u);
    EXPECT_EQ(onStack(0), 0u);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 16);
}

TEST_F(InterruptDeliveryTest, ContributoryAfterBenignIsDeliveredInItsPlace)
{
    setAllGates();
    setGate(6, 0);
    deliverException(cpu, { Exception::InvalidOpcode, {} });
    EXPECT_EQ(enteredVector(), 13u);
    EXPECT_EQ(onStack(0), 6u * 8 + 2 + 1);
}

TEST_F(InterruptDeliveryTest, PageFaultAfterContributoryIsDeliveredInItsPlace)
{
    enablePaging();
    setAllGates();
    enterLevel3();
    // The stack for level 0 faults as a page; what comes then finds a stack again, through a conforming handler.
    put<uint32_t>(tss + 4, 0x00300000);
    setPage(0x002ff000, 0);
    setDescriptor(spare2, makeDescriptor(0, 0xfffff, conformingCode0));
    setGate(14, makeGate(spare2, 0x9999, interruptGate32));
    deliverException(cpu, { Exception::GeneralProtection, 0 });
    EXPECT_EQ(cpu.nextEip, 0x9999u);
    EXPECT_EQ(onStack(0), 2u);
    EXPECT_EQ(cpu.cr2, 0x002ffffcu);
    EXPECT_EQ(cpu.cpl, 3);
}

TEST_F(InterruptDeliveryTest, AnyFaultAfterAPageFaultIsADoubleFault)
{
    setAllGates();
    setGate(14, 0);
    deliverException(cpu, { Exception::PageFault, 0 });
    EXPECT_EQ(enteredVector(), 8u);
}

TEST_F(InterruptDeliveryTest, AFaultOfTheDoubleFaultIsTheEnd)
{
    setAllGates();
    setGate(8, 0);
    setGate(13, 0);
    EXPECT_TRUE(isTripleFault({ Exception::GeneralProtection, 0 }));
    setGate(14, 0);
    EXPECT_TRUE(isTripleFault({ Exception::PageFault, 0 }));
    cpu.idtr.limit = 0;
    EXPECT_TRUE(isTripleFault({ Exception::InvalidOpcode, {} }));
    EXPECT_EQ(cpu.gpr[Esp], kernelStack);
    EXPECT_EQ(cpu.eflags(), flags);
    EXPECT_EQ(cpu.nextEip, 0x5002u);
}

TEST_F(InterruptDeliveryTest, RealModeGoesThroughTheVectorTable)
{
    cpu.load(CpuState::afterReset());
    cpu.idtr = { 0, 0x3ff };
    cpu.gpr[Esp] = 0x7000;
    cpu.setEflags(flags);
    put<uint32_t>(0x21 * 4, 0xc0001234);
    step({ 0xcd, 0x21 });
    EXPECT_EQ(cpu.segments[Cs].state.base, 0xc0000u);
    EXPECT_EQ(cpu.eip, 0x1234u);
    EXPECT_EQ(cpu.gpr[Esp], 0x7000u - 6);
    EXPECT_EQ(get<uint16_t>(0x6ffa), 0xfff2);
    EXPECT_EQ(get<uint16_t>(0x6ffc), 0xf000);
    EXPECT_EQ(get<uint16_t>(0x6ffe), flags);
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::carry);
}

TEST_F(InterruptDeliveryTest, RealModePushesNoErrorCode)
{
    cpu.load(CpuState::afterReset());
    cpu.idtr = { 0, 0x3ff };
    cpu.gpr[Esp] = 0x7000;
    put<uint32_t>(13 * 4, 0x20000010);
    deliverException(cpu, { Exception::GeneralProtection, 0 });
    EXPECT_EQ(cpu.nextEip, 0x10u);
    EXPECT_EQ(cpu.gpr[Esp], 0x7000u - 6);
}

TEST_F(InterruptDeliveryTest, RealModeWithoutATableShutsDown)
{
    cpu.load(CpuState::afterReset());
    cpu.idtr = { 0, 0 };
    cpu.gpr[Esp] = 0x7000;
    EXPECT_TRUE(isTripleFault({ Exception::InvalidOpcode, {} }));
    EXPECT_EQ(cpu.gpr[Esp], 0x7000u);
}

} // namespace namsan
