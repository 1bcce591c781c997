// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"
#include "vmm/engine/interpret/far_transfers.h"
#include "vmm/engine/interpret/interrupt_delivery.h"

#include <gtest/gtest.h>

namespace namsan {

// Protected mode as the 80286 had it: 16-bit code and stacks, gates and TSS of 16 bits.
class SixteenBitProtectionTest : public ::testing::Test, protected ProcessorBench {
protected:
    static constexpr uint8_t callGate16 = 0x84;
    static constexpr uint8_t interruptGate16 = 0x86;
    static constexpr uint8_t trapGate16 = 0x87;
    static constexpr uint8_t level3 = 0x60;
    static constexpr uint8_t bits16 = 0; // flags of a descriptor
    static constexpr uint16_t userStackBase = 0x9000;

    SixteenBitProtectionTest()
    {
        enterProtectedMode();
        setDescriptor(kernelCode, makeDescriptor(0, 0xffff, code0, bits16));
        setDescriptor(kernelData, makeDescriptor(0, 0xffff, data0, bits16));
        setDescriptor(userCode, makeDescriptor(0x10000, 0xffff, code3, bits16));
        setDescriptor(userData, makeDescriptor(0x20000, 0xffff, data3, bits16));
        cpu.tr = { taskState, 0x83, tss, 0x2b };
        put<uint16_t>(tss + 2, kernelStack); // SP0, SS0
        put<uint16_t>(tss + 4, kernelData);
        cpu.setCpl(3);
        cpu.setSegment(Cs, { userCode, 0xfb, 0x10000, 0xffff });
        for (const SegmentIndex index : { Es, Ss, Ds })
            loadSegment(cpu, index, userData);
        cpu.gpr[Esp] = 0xabcd0100;
        cpu.eip = 0x20;
        cpu.nextEip = 0x23;
    }
    uint16_t word(uint32_t address) const { return get<uint16_t>(address); }
};

TEST_F(SixteenBitProtectionTest, PushesMoveSpAlone)
{
    cpu.gpr[Esp] = 0xabcd0000;
    cpu.gpr[Eax] = 0x12345678;
    step({ 0x50 });
    EXPECT_EQ(cpu.gpr[Esp], 0xabcdfffeu);
    EXPECT_EQ(word(0x2fffe), 0x5678);
    step({ 0x66, 0x50 });
    EXPECT_EQ(cpu.gpr[Esp], 0xabcdfffau);
    EXPECT_EQ(get32(0x2fffa), 0x12345678u);
    step({ 0xe8, 0x00, 0x10 }); // call $+1003h
    EXPECT_EQ(cpu.gpr[Esp], 0xabcdfff8u);
    EXPECT_EQ(word(0x2fff8), cpu.eip - 0x1000);
}

TEST_F(SixteenBitProtectionTest, CallGatesCopyWords)
{
    setDescriptor(spare, makeGate(kernelCode, 0x6000, callGate16 | level3, 3));
    for (uint16_t n = 0; n < 3; ++n)
        put<uint16_t>(0x20100 + 2 * n, static_cast<uint16_t>(0x1111 * (n + 1)));
    callFar(cpu, spare | 3, 0, 2);
    EXPECT_EQ(cpu.cpl, 0);
    EXPECT_EQ(cpu.nextEip, 0x6000u);
    EXPECT_EQ(cpu.gpr[Esp], 0xabcd0000u | (kernelStack - 14)) << "a 16-bit stack leaves the upper half";
    const uint16_t frame[] = { 0x23, userCode, 0x1111, 0x2222, 0x3333, 0x0100, userData };
    for (uint32_t n = 0; n < 7; ++n)
        EXPECT_EQ(word(kernelStack - 14 + 2 * n), frame[n]) << n;

    returnFar(cpu, 2, 6);
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.nextEip, 0x23u);
    EXPECT_EQ(cpu.segments[Ss].state.base, 0x20000u);
    EXPECT_EQ(cpu.gpr[Esp] & 0xffff, 0x106u);
}

TEST_F(SixteenBitProtectionTest, ParametersOverTheStacksEndFault)
{
    setDescriptor(spare, makeGate(kernelCode, 0x6000, callGate16 | level3, 3));
    cpu.gpr[Esp] = 0xfffb;
    EXPECT_EQ(faultOf([&] { callFar(cpu, spare | 3, 0, 2); }), fault(Exception::StackFault, 0));
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.gpr[Esp], 0xfffbu);
}

TEST_F(SixteenBitProtectionTest, AnInnerStackWithoutRoomFaultsWithItsSelector)
{
    setDescriptor(spare2, makeDescriptor(0, 0xffff, expandDown0 & ~0x04, bits16));
    setDescriptor(spare, makeGate(kernelCode, 0x6000, callGate16 | level3, 3));
    setDescriptor(spare2, makeDescriptor(0, 0x00ff, data0, bits16));
    put<uint16_t>(tss + 2, 0x102);
    put<uint16_t>(tss + 4, spare2);
    EXPECT_EQ(faultOf([&] { callFar(cpu, spare | 3, 0, 2); }), fault(Exception::StackFault, spare2));
    EXPECT_EQ(cpu.cpl, 3);
}

TEST_F(SixteenBitProtectionTest, InterruptsAndTheirReturn)
{
    setGate(0x30, makeGate(kernelCode, 0x7000, interruptGate16));
    cpu.setEflags(eflags::alwaysOne | eflags::interruptEnable | eflags::identification);
    deliverInterrupt(cpu, 0x30);
    EXPECT_EQ(cpu.nextEip, 0x7000u);
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::identification);
    const uint16_t frame[] = { 0x20, userCode, 0x0202, 0x0100, userData };
    for (uint32_t n = 0; n < 5; ++n)
        EXPECT_EQ(word(kernelStack - 10 + 2 * n), frame[n]) << n;
    returnFromInterrupt(cpu, 2);
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.nextEip, 0x20u);
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::interruptEnable | eflags::identification);
    EXPECT_EQ(cpu.gpr[Esp] & 0xffff, 0x100u);
}

TEST_F(SixteenBitProtectionTest, FaultsPushTheirErrorCodeAsAWord)
{
    setGate(13, makeGate(kernelCode, 0x7000, trapGate16));
    deliverException(cpu, { Exception::GeneralProtection, 0x0048 });
    EXPECT_EQ(cpu.gpr[Esp] & 0xffff, kernelStack - 12);
    EXPECT_EQ(word(kernelStack - 12), 0x0048);
    EXPECT_EQ(word(kernelStack - 10), 0x20);
}

TEST_F(SixteenBitProtectionTest, TheTssGivesStacksOfAllLevels)
{
    cpu.tr.limit = 4;
    setGate(0x30, makeGate(kernelCode, 0x7000, interruptGate16 | level3));
    EXPECT_EQ(faultOf([&] { deliverSoftwareInterrupt(cpu, 0x30); }), fault(Exception::InvalidTss, taskState));
    cpu.tr.limit = 5;
    EXPECT_FALSE(faultOf([&] { deliverSoftwareInterrupt(cpu, 0x30); }));
    EXPECT_EQ(cpu.segments[Ss].state.selector, kernelData);
}

TEST_F(SixteenBitProtectionTest, ATssOfSixteenBitsHasNoPortMap)
{
    put<uint16_t>(tss + 102, 0x70);
    EXPECT_EQ(faultOfStep({ 0xe4, 0x60 }), generalProtection());
}

} // namespace namsan
