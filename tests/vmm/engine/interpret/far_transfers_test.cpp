// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/far_transfers.h"

#include "tests/vmm/engine/processor_bench.h"

#include <gtest/gtest.h>

namespace namsan {

class FarTransfersTest : public ::testing::Test, protected ProcessorBench {
protected:
    static constexpr uint8_t callGate32 = 0x8c;
    static constexpr uint8_t callGate16 = 0x84;

    FarTransfersTest()
    {
        enterProtectedMode();
        cpu.nextEip = 0x5007;
    }

    void push32(uint32_t value)
    {
        cpu.gpr[Esp] -= 4;
        put<uint32_t>(cpu.gpr[Esp], value);
    }
    std::optional<Fault> faultOfJump(uint16_t selector, uint32_t offset = 0x6000)
    {
        return faultOf([&] { jumpFar(cpu, selector, offset, 4); });
    }
    std::optional<Fault> faultOfReturn()
    {
        return faultOf([&] { returnFar(cpu, 4, 0); });
    }
    std::optional<Fault> faultOfIret()
    {
        return faultOf([&] { returnFromInterrupt(cpu, 4); });
    }
    void expectUntouched(uint32_t stackPointer)
    {
        EXPECT_EQ(cpu.segments[Cs].state.selector, cpu.cpl == 0 ? kernelCode : userCode);
        EXPECT_EQ(cpu.gpr[Esp], stackPointer);
        EXPECT_EQ(cpu.nextEip, 0x5007u);
    }
};

TEST_F(FarTransfersTest, RealModeJumpsSetTheBase)
{
    cpu.load(CpuState::afterReset());
    step({ 0xea, 0x5b, 0xe0, 0x00, 0xf0 }); // jmp f000:e05b
    EXPECT_EQ(cpu.segments[Cs].state.base, 0xf0000u);
    EXPECT_EQ(cpu.eip, 0xe05bu);
    EXPECT_TRUE(cpu.leaveBlock);
}

TEST_F(FarTransfersTest, RealModeCallsAndReturns)
{
    cpu.load(CpuState::afterReset());
    cpu.setSegment(Ss, { 0x800, 0x93, 0x8000, 0xffff });
    cpu.gpr[Esp] = 0xabcd0000; // SP wraps, the high half stays
    step({ 0x9a, 0x34, 0x12, 0x00, 0x20 }); // call 2000:1234
    EXPECT_EQ(cpu.gpr[Esp], 0xabcdfffcu);
    EXPECT_EQ(get<uint16_t>(0x8000 + 0xfffe), 0xf000);
    EXPECT_EQ(get<uint16_t>(0x8000 + 0xfffc), 0xfff5);
    EXPECT_EQ(cpu.eip, 0x1234u);
    step({ 0xca, 0x02, 0x00 }); // retf 2
    EXPECT_EQ(cpu.eip, 0xfff5u);
    EXPECT_EQ(cpu.segments[Cs].state.base, 0xf0000u);
    EXPECT_EQ(cpu.gpr[Esp], 0xabcd0002u);
}

TEST_F(FarTransfersTest, JumpsWithinALevel)
{
    step({ 0xea, 0x00, 0x60, 0x00, 0x00, 0x08, 0x00 });
    EXPECT_EQ(cpu.eip, 0x6000u);
    EXPECT_EQ(cpu.segments[Cs].state.selector, kernelCode);
    put<uint32_t>(0x7000, 0x6100);
    put<uint16_t>(0x7004, kernelCode);
    step({ 0xff, 0x2d, 0x00, 0x70, 0x00, 0x00 }); // jmp far [7000h]
    EXPECT_EQ(cpu.eip, 0x6100u);
}

TEST_F(FarTransfersTest, JumpsAreCheckedAndChangeNothingWhereTheyFault)
{
    EXPECT_EQ(faultOfJump(0), generalProtection());
    EXPECT_EQ(faultOfJump(outside), generalProtection(outside));
    EXPECT_EQ(faultOfJump(kernelData), generalProtection(kernelData));
    EXPECT_EQ(faultOfJump(kernelCode | 3), generalProtection(kernelCode)) << "RPL";
    EXPECT_EQ(faultOfJump(userCode), generalProtection(userCode & ~3)) << "DPL";
    EXPECT_EQ(faultOfJump(localTable), generalProtection(localTable));
    setDescriptor(spare, makeDescriptor(0, 0xfffff, code0 & ~notPresent));
    EXPECT_EQ(faultOfJump(spare), fault(Exception::SegmentNotPresent, spare));
    setDescriptor(spare, makeDescriptor(0, 0x5fff, code0, 0x4));
    EXPECT_EQ(faultOfJump(spare, 0x6000), generalProtection());
    EXPECT_FALSE(faultOfJump(spare, 0x5fff));
    EXPECT_EQ(cpu.segments[Cs].state.selector, spare);
    cpu.setSegment(Cs, { kernelCode, 0xc09b, 0, 0xffffffff });
    cpu.nextEip = 0x5007;
    expectUntouched(kernelStack);
}

TEST_F(FarTransfersTest, ConformingCodeRunsAtTheCallersLevel)
{
    setDescriptor(spare, makeDescriptor(0, 0xfffff, conformingCode0));
    enterLevel3();
    EXPECT_FALSE(faultOfJump(spare));
    EXPECT_EQ(cpu.segments[Cs].state.selector, spare | 3);
    EXPECT_EQ(cpu.cpl, 3);
}

TEST_F(FarTransfersTest, CallsPushTheReturnAddress)
{
    callFar(cpu, kernelCode, 0x6000, 4);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 8);
    EXPECT_EQ(get32(kernelStack - 4), kernelCode);
    EXPECT_EQ(get32(kernelStack - 8), 0x5007u);
    EXPECT_EQ(cpu.nextEip, 0x6000u);
    returnFar(cpu, 4, 0);
    EXPECT_EQ(cpu.nextEip, 0x5007u);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack);
}

TEST_F(FarTransfersTest, ACallThatCannotPushChangesNothing)
{
    enablePaging();
    setPage(kernelStack - 0x1000, 0);
    EXPECT_EQ(faultOf([&] { callFar(cpu, kernelCode, 0x6000, 4); }), pageFault(2));
    expectUntouched(kernelStack);
}

TEST_F(FarTransfersTest, CallGatesGoInwardOntoTheTasksStackWithParameters)
{
    setDescriptor(spare, makeGate(kernelCode, 0x6000, callGate32 | 0x60, 2));
    enterLevel3();
    push32(0x1111);
    push32(0x2222);
    const uint32_t outerEsp = cpu.gpr[Esp];
    cpu.nextEip = 0x5007;
    callFar(cpu, spare | 3, 0xdeadbeef, 4);

    EXPECT_EQ(cpu.cpl, 0);
    EXPECT_EQ(cpu.segments[Cs].state.selector, kernelCode);
    EXPECT_EQ(cpu.segments[Ss].state.selector, kernelData);
    EXPECT_EQ(cpu.nextEip, 0x6000u);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 24);
    EXPECT_EQ(get32(kernelStack - 4), userData);
    EXPECT_EQ(get32(kernelStack - 8), outerEsp);
    EXPECT_EQ(get32(kernelStack - 12), 0x1111u);
    EXPECT_EQ(get32(kernelStack - 16), 0x2222u);
    EXPECT_EQ(get32(kernelStack - 20), userCode);
    EXPECT_EQ(get32(kernelStack - 24), 0x5007u);

    loadSegment(cpu, Ds, kernelData);
    returnFar(cpu, 4, 8);
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.nextEip, 0x5007u);
    EXPECT_EQ(cpu.gpr[Esp], userStack) << "the parameters are released on both stacks";
    EXPECT_EQ(cpu.segments[Ss].state.selector, userData);
    EXPECT_EQ(cpu.segments[Ds].state.selector, 0) << "no kernel segment stays in reach";
    EXPECT_EQ(cpu.segments[Es].state.selector, userData);
}

TEST_F(FarTransfersTest, CallGatesAreChecked)
{
    setDescriptor(spare, makeGate(kernelCode, 0x6000, callGate32)); // DPL 0
    enterLevel3();
    cpu.nextEip = 0x5007;
    EXPECT_EQ(faultOf([&] { callFar(cpu, spare, 0, 4); }), generalProtection(spare));
    setDescriptor(spare, makeGate(kernelCode, 0x6000, (callGate32 | 0x60) & ~0x80));
    EXPECT_EQ(faultOf([&] { callFar(cpu, spare, 0, 4); }), fault(Exception::SegmentNotPresent, spare));
    setDescriptor(spare, makeGate(kernelData, 0x6000, callGate32 | 0x60));
    EXPECT_EQ(faultOf([&] { callFar(cpu, spare, 0, 4); }), generalProtection(kernelData));
    setDescriptor(spare, makeGate(kernelCode, 0x6000, callGate32 | 0x60));
    put<uint16_t>(tss + 8, 0);
    EXPECT_EQ(faultOf([&] { callFar(cpu, spare, 0, 4); }), fault(Exception::InvalidTss, 0));
    EXPECT_EQ(faultOfJump(spare), generalProtection(kernelCode)) << "JMP does not go inward";
    expectUntouched(userStack);
}

TEST_F(FarTransfersTest, CallGatesWithinALevelPushInTheGatesSize)
{
    setDescriptor(spare, makeGate(kernelCode, 0x6000, callGate16));
    callFar(cpu, spare, 0, 4);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 4);
    EXPECT_EQ(get32(kernelStack - 4), uint32_t { kernelCode } << 16 | 0x5007);
}

TEST_F(FarTransfersTest, ReturnsGoOutwardButNeverInward)
{
    push32(userData);
    push32(userStack);
    push32(userCode);
    push32(0x6000);
    returnFar(cpu, 4, 0);
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.gpr[Esp], userStack);
    EXPECT_EQ(cpu.segments[Cs].state.selector, userCode);

    push32(kernelCode);
    push32(0x5000);
    EXPECT_EQ(faultOfReturn(), generalProtection(kernelCode));
    EXPECT_EQ(cpu.gpr[Esp], userStack - 8);
}

TEST_F(FarTransfersTest, OutwardReturnsCheckTheStackTheyPop)
{
    push32(kernelData);
    push32(userStack);
    push32(userCode);
    push32(0x6000);
    EXPECT_EQ(faultOfReturn(), generalProtection(kernelData));
    put<uint32_t>(kernelStack - 4, 0);
    EXPECT_EQ(faultOfReturn(), generalProtection());
    setDescriptor(spare, makeDescriptor(0, 0xfffff, data3 & ~notPresent));
    put<uint32_t>(kernelStack - 4, spare | 3);
    EXPECT_EQ(faultOfReturn(), fault(Exception::StackFault, spare));
    expectUntouched(kernelStack - 16);
}

TEST_F(FarTransfersTest, InterruptReturnRestoresFlags)
{
    push32(0x00247fd7);
    push32(kernelCode);
    push32(0x6000);
    cpu.nmiBlocked = true;
    returnFromInterrupt(cpu, 4);
    EXPECT_EQ(cpu.eflags(), 0x00247fd7u);
    EXPECT_EQ(cpu.nextEip, 0x6000u);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack);
    EXPECT_FALSE(cpu.nmiBlocked);
    EXPECT_TRUE(cpu.leaveBlock);
}

TEST_F(FarTransfersTest, InterruptReturnOutward)
{
    for (const uint32_t value : { uint32_t { userData }, userStack, 0x3202u, uint32_t { userCode }, 0x6000u })
        push32(value);
    returnFromInterrupt(cpu, 4);
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.gpr[Esp], userStack);
    EXPECT_EQ(cpu.eflags(), 0x3202u) << "level 0 sets IF and IOPL";
    EXPECT_EQ(cpu.segments[Ds].state.selector, 0);
}

TEST_F(FarTransfersTest, InterruptReturnAtLevel3KeepsIfAndIopl)
{
    enterLevel3();
    cpu.setEflags(eflags::alwaysOne | eflags::interruptEnable);
    push32(0x3002 | eflags::carry);
    push32(userCode);
    push32(0x6000);
    returnFromInterrupt(cpu, 4);
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::interruptEnable | eflags::carry);
}

TEST_F(FarTransfersTest, SixteenBitInterruptReturnKeepsTheUpperFlags)
{
    cpu.setEflags(eflags::alwaysOne | eflags::identification);
    put<uint16_t>(kernelStack - 6, 0x6000);
    put<uint16_t>(kernelStack - 4, kernelCode);
    put<uint16_t>(kernelStack - 2, 0x0203);
    cpu.gpr[Esp] = kernelStack - 6;
    returnFromInterrupt(cpu, 2);
    EXPECT_EQ(cpu.eflags(), eflags::identification | 0x203);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack);
}

TEST_F(FarTransfersTest, RealModeInterruptReturn)
{
    cpu.load(CpuState::afterReset());
    cpu.gpr[Esp] = 0x7000;
    put<uint16_t>(0x7000, 0x1234);
    put<uint16_t>(0x7002, 0x2000);
    put<uint16_t>(0x7004, 0x0ad7);
    step({ 0xcf });
    EXPECT_EQ(cpu.eip, 0x1234u);
    EXPECT_EQ(cpu.segments[Cs].state.base, 0x20000u);
    EXPECT_EQ(cpu.eflags(), 0x0ad7u);
    EXPECT_EQ(cpu.gpr[Esp], 0x7006u);
}

} // namespace namsan
