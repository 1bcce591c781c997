// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace namsan {

class SystemInstructionsTest : public ::testing::Test, protected ProcessorBench {
protected:
    SystemInstructionsTest() { enterProtectedMode(); }

    bool zero() const { return cpu.eflags() & eflags::zero; }
    void writeMsr(uint32_t number, uint64_t value)
    {
        cpu.gpr[Ecx] = number;
        cpu.gpr[Eax] = static_cast<uint32_t>(value);
        cpu.gpr[Edx] = static_cast<uint32_t>(value >> 32);
        step({ 0x0f, 0x30 });
    }
    uint64_t readMsr(uint32_t number)
    {
        cpu.gpr[Ecx] = number;
        step({ 0x0f, 0x32 });
        return edxEax();
    }
    uint64_t edxEax() const { return uint64_t { cpu.gpr[Edx] } << 32 | cpu.gpr[Eax]; }
};

// -- descriptor tables

TEST_F(SystemInstructionsTest, TableRegistersGoToMemoryAndBack)
{
    cpu.gdtr = { 0x12345678, 0xabcd };
    step({ 0x0f, 0x01, 0x05, 0x00, 0x60, 0x00, 0x00 }); // sgdt [6000h]
    EXPECT_EQ(get<uint16_t>(0x6000), 0xabcd);
    EXPECT_EQ(get32(0x6002), 0x12345678u);
    step({ 0x0f, 0x01, 0x1d, 0x00, 0x60, 0x00, 0x00 }); // lidt [6000h]
    EXPECT_EQ(cpu.idtr, (DescriptorTableState { 0x12345678, 0xabcd }));
    step({ 0x66, 0x0f, 0x01, 0x15, 0x00, 0x60, 0x00, 0x00 }); // lgdt with 16-bit operands
    EXPECT_EQ(cpu.gdtr, (DescriptorTableState { 0x00345678, 0xabcd }));
}

TEST_F(SystemInstructionsTest, StoringATableRegisterIsAllOrNothing)
{
    enablePaging();
    setPage(0x7000, 0);
    EXPECT_EQ(faultOfStep({ 0x0f, 0x01, 0x0d, 0xfe, 0x6f, 0x00, 0x00 }), pageFault(2)); // sidt [6ffeh]
    EXPECT_EQ(get<uint16_t>(0x6ffe), 0);
}

TEST_F(SystemInstructionsTest, LoadsTheTaskRegisterAndMarksItBusy)
{
    cpu.gpr[Eax] = taskState;
    step({ 0x0f, 0x00, 0xd8 });
    EXPECT_EQ(cpu.tr, (SegmentState { taskState, 0x8b, tss, 0xff }));
    EXPECT_EQ(get<uint8_t>(gdt + taskState + 5), 0x8b);
    EXPECT_EQ(faultOfStep({ 0x0f, 0x00, 0xd8 }), generalProtection(taskState)) << "busy";
    cpu.gpr[Eax] = 0;
    EXPECT_EQ(faultOfStep({ 0x0f, 0x00, 0xd8 }), generalProtection());
    cpu.gpr[Eax] = 4;
    EXPECT_EQ(faultOfStep({ 0x0f, 0x00, 0xd8 }), generalProtection(4)) << "of the LDT";
    cpu.gpr[Eax] = kernelData;
    EXPECT_EQ(faultOfStep({ 0x0f, 0x00, 0xd8 }), generalProtection(kernelData));
    step({ 0x0f, 0x00, 0xcb }); // str ebx
    EXPECT_EQ(cpu.gpr[Ebx], taskState);
}

TEST_F(SystemInstructionsTest, LoadsTheLocalTable)
{
    cpu.gpr[Eax] = localTable;
    step({ 0x0f, 0x00, 0xd0 });
    EXPECT_EQ(cpu.ldtr.base, ldt);
    EXPECT_EQ(cpu.ldtr.limit, 0x1fu);
    cpu.gpr[Eax] = taskState;
    EXPECT_EQ(faultOfStep({ 0x0f, 0x00, 0xd0 }), generalProtection(taskState));
    cpu.gpr[Eax] = 0;
    step({ 0x0f, 0x00, 0xd0 });
    EXPECT_FALSE(isUsable(cpu.ldtr));
    setDescriptor(spare, makeDescriptor(ldt, 0x1f, 0x02, 0));
    cpu.gpr[Eax] = spare;
    EXPECT_EQ(faultOfStep({ 0x0f, 0x00, 0xd0 }), fault(Exception::SegmentNotPresent, spare));
}

TEST_F(SystemInstructionsTest, RealModeKnowsNoSelectors)
{
    cpu.load(CpuState::afterReset());
    for (const uint8_t modRm : std::initializer_list<uint8_t> { 0xc0, 0xc8, 0xd0, 0xd8, 0xe0, 0xe8 })
        EXPECT_EQ(faultOfStep({ 0x0f, 0x00, modRm }), invalidOpcode());
    EXPECT_EQ(faultOfStep({ 0x0f, 0x02, 0xc0 }), invalidOpcode());
    EXPECT_EQ(faultOfStep({ 0x0f, 0x03, 0xc0 }), invalidOpcode());
    EXPECT_EQ(faultOfStep({ 0x63, 0xc0 }), invalidOpcode());
}

// -- questions about selectors

TEST_F(SystemInstructionsTest, LoadsAccessRights)
{
    cpu.gpr[Ebx] = userCode;
    step({ 0x0f, 0x02, 0xc3 }); // lar eax, bx
    EXPECT_TRUE(zero());
    EXPECT_EQ(cpu.gpr[Eax], 0x00c0fa00u);
    cpu.gpr[Ebx] = outside;
    step({ 0x0f, 0x02, 0xc3 });
    EXPECT_FALSE(zero());
    EXPECT_EQ(cpu.gpr[Eax], 0x00c0fa00u);
    cpu.gpr[Ebx] = 0;
    step({ 0x0f, 0x02, 0xc3 });
    EXPECT_FALSE(zero());
    setDescriptor(spare, makeGate(kernelCode, 0, 0x8e));
    cpu.gpr[Ebx] = spare;
    step({ 0x0f, 0x02, 0xc3 });
    EXPECT_FALSE(zero()) << "interrupt gates have none";
}

TEST_F(SystemInstructionsTest, LoadsLimitsInBytes)
{
    setDescriptor(spare, makeDescriptor(0, 0x12, data0, 0xc));
    cpu.gpr[Ebx] = spare;
    step({ 0x0f, 0x03, 0xc3 });
    EXPECT_TRUE(zero());
    EXPECT_EQ(cpu.gpr[Eax], 0x12fffu);
    enterLevel3();
    step({ 0x0f, 0x03, 0xc3 });
    EXPECT_FALSE(zero()) << "not visible from level 3";
}

TEST_F(SystemInstructionsTest, VerifiesAccess)
{
    const auto verify = [this](uint8_t modRm, uint16_t selector) {
        cpu.gpr[Ebx] = selector;
        step({ 0x0f, 0x00, modRm });
        return zero();
    };
    constexpr uint8_t verr = 0xe3;
    constexpr uint8_t verw = 0xeb;
    EXPECT_TRUE(verify(verr, kernelCode));
    EXPECT_FALSE(verify(verw, kernelCode));
    EXPECT_TRUE(verify(verw, kernelData));
    EXPECT_FALSE(verify(verw, kernelData | 3));
    EXPECT_FALSE(verify(verr, taskState));
    enterLevel3();
    EXPECT_TRUE(verify(verw, userData));
    EXPECT_FALSE(verify(verr, kernelData));
}

TEST_F(SystemInstructionsTest, AdjustsRequestedPrivilege)
{
    cpu.gpr[Eax] = 0xffff0020;
    cpu.gpr[Ebx] = 3;
    step({ 0x63, 0xd8 }); // arpl ax, bx
    EXPECT_TRUE(zero());
    EXPECT_EQ(cpu.gpr[Eax], 0xffff0023u);
    step({ 0x63, 0xd8 });
    EXPECT_FALSE(zero());
}

// -- flags and halting

TEST_F(SystemInstructionsTest, StiShadowsTheNextInstructionOnce)
{
    cpu.setEflags(eflags::alwaysOne);
    cpu.leaveBlock = false;
    step({ 0xfb });
    EXPECT_TRUE(cpu.interruptShadow);
    EXPECT_TRUE(cpu.leaveBlock);
    EXPECT_TRUE(cpu.eflags() & eflags::interruptEnable);
    cpu.interruptShadow = false;
    step({ 0xfb });
    EXPECT_FALSE(cpu.interruptShadow) << "interrupts were on already";
    step({ 0xfa });
    EXPECT_FALSE(cpu.eflags() & eflags::interruptEnable);
}

TEST_F(SystemInstructionsTest, FlagsGoOverTheStack)
{
    cpu.setEflags(eflags::alwaysOne | eflags::carry | eflags::resume | eflags::identification);
    step({ 0x9c });
    EXPECT_EQ(get32(kernelStack - 4), eflags::alwaysOne | eflags::carry | eflags::identification);
    put<uint32_t>(kernelStack - 4, 0xffffffff);
    step({ 0x9d });
    EXPECT_EQ(cpu.eflags(), 0x00247fd7u) << "all but RF, VM, VIF, VIP";
    EXPECT_EQ(cpu.gpr[Esp], kernelStack);
}

TEST_F(SystemInstructionsTest, UsersCannotPopIfAndIopl)
{
    enterLevel3();
    cpu.setEflags(eflags::alwaysOne | eflags::interruptEnable);
    put<uint32_t>(userStack, eflags::ioPrivilege | eflags::direction);
    step({ 0x9d });
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::interruptEnable | eflags::direction);
    cpu.setEflags(eflags::alwaysOne | eflags::interruptEnable | eflags::ioPrivilege);
    put<uint32_t>(userStack + 4, 0);
    step({ 0x9d });
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::ioPrivilege) << "IOPL 3 gives IF, never IOPL";
}

TEST_F(SystemInstructionsTest, Halts)
{
    step({ 0xf4 });
    EXPECT_TRUE(cpu.halted);
    EXPECT_TRUE(cpu.leaveBlock);
    EXPECT_EQ(counters.halts.value(), 1u);
}

// -- counters, MSRs, CPUID

TEST_F(SystemInstructionsTest, TheTimeStampCounterFollowsTheClock)
{
    clock.advance(GuestTime { 5'000'000'007 });
    step({ 0x0f, 0x31 });
    EXPECT_EQ(edxEax(), 5'000'000'007u);
    writeMsr(0x10, 0x100000000);
    clock.advance(GuestTime { 5 });
    EXPECT_EQ(readMsr(0x10), 0x100000005u);
    writeCr4(cpu, cr4::timeStampDisable);
    EXPECT_FALSE(faultOfStep({ 0x0f, 0x31 }));
    enterLevel3();
    EXPECT_EQ(faultOfStep({ 0x0f, 0x31 }), generalProtection());
    writeCr4(cpu, 0);
    EXPECT_FALSE(faultOfStep({ 0x0f, 0x31 }));
    EXPECT_EQ(faultOfStep({ 0x0f, 0x33 }), generalProtection());
}

TEST_F(SystemInstructionsTest, ModelSpecificRegistersKeepWhatTheyTake)
{
    for (const uint32_t number : { 0x174u, 0x175u, 0x176u }) {
        writeMsr(number, number * 3);
        EXPECT_EQ(readMsr(number), number * 3);
    }
    EXPECT_EQ(readMsr(0x277), 0x0007040600070406u);
    writeMsr(0x277, 0x0001040600010406);
    EXPECT_EQ(readMsr(0x277), 0x0001040600010406u);
    EXPECT_EQ(faultOf([&] { writeMsr(0x277, 0x02); }), generalProtection());
    EXPECT_EQ(faultOf([&] { writeMsr(0x277, uint64_t { 8 } << 56); }), generalProtection());
    writeMsr(0x8b, 0);
    EXPECT_EQ(readMsr(0x8b), 0u);
    EXPECT_EQ(readMsr(0x17), 0u);
    EXPECT_EQ(readMsr(0x1a0) & 1, 1u);
}

TEST_F(SystemInstructionsTest, UnknownModelSpecificRegistersFault)
{
    for (const uint32_t number : { 0x1bu, 0xfeu, 0x2ffu, 0xc0000081u, 0x12345u }) {
        EXPECT_EQ(faultOf([&] { readMsr(number); }), generalProtection()) << number;
        EXPECT_EQ(faultOf([&] { writeMsr(number, 0); }), generalProtection()) << number;
    }
}

TEST_F(SystemInstructionsTest, CpuidPromisesWhatThereIs)
{
    cpu.gpr[Eax] = 0;
    step({ 0x0f, 0xa2 });
    EXPECT_EQ(cpu.gpr[Eax], 2u);
    EXPECT_EQ(cpu.gpr[Ebx], 0x756e6547u); // "Genu"
    EXPECT_EQ(cpu.gpr[Edx], 0x49656e69u); // "ineI"
    EXPECT_EQ(cpu.gpr[Ecx], 0x6c65746eu); // "ntel"

    const CpuidResult features = CpuModel::standard().cpuid(1, 0);
    EXPECT_EQ(features.eax >> 8 & 0xf, 6u);
    EXPECT_EQ(features.ebx >> 8 & 0xff, 8u) << "CLFLUSH works on 64 bytes";
    EXPECT_EQ(features.ecx, 0u);
    EXPECT_TRUE(features.edx & 1 << 6) << "PAE";
    EXPECT_FALSE(features.edx & 1 << 9) << "no local APIC";
    EXPECT_TRUE(features.edx & 1 << 26) << "SSE2";

    std::string brand;
    for (uint32_t leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
        const CpuidResult part = CpuModel::standard().cpuid(leaf, 0);
        for (const uint32_t four : { part.eax, part.ebx, part.ecx, part.edx })
            brand.append(reinterpret_cast<const char*>(&four), sizeof four);
    }
    EXPECT_STREQ(brand.c_str(), "Namsan virtual CPU (pentium-m)");
    EXPECT_EQ(CpuModel::standard().cpuid(0x40000000, 0), CpuModel::standard().cpuid(2, 0));
}

// -- fast system calls

TEST_F(SystemInstructionsTest, SysenterAndSysexitGoInAndOut)
{
    cpu.sysenterCs = kernelCode;
    cpu.sysenterEsp = kernelStack;
    cpu.sysenterEip = 0x7000;
    enterLevel3();
    cpu.setEflags(eflags::alwaysOne | eflags::interruptEnable | eflags::carry);
    step({ 0x0f, 0x34 });
    EXPECT_EQ(cpu.cpl, 0);
    EXPECT_EQ(cpu.eip, 0x7000u);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack);
    EXPECT_EQ(cpu.segments[Cs].state, (SegmentState { kernelCode, 0xc09b, 0, 0xffffffff }));
    EXPECT_EQ(cpu.segments[Ss].state, (SegmentState { kernelData, 0xc093, 0, 0xffffffff }));
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::carry);

    cpu.gpr[Ecx] = userStack;
    cpu.gpr[Edx] = 0x6000;
    step({ 0x0f, 0x35 });
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.eip, 0x6000u);
    EXPECT_EQ(cpu.gpr[Esp], userStack);
    EXPECT_EQ(cpu.segments[Cs].state, (SegmentState { kernelCode + 16 + 3, 0xc0fb, 0, 0xffffffff }));
    EXPECT_EQ(cpu.segments[Ss].state, (SegmentState { kernelCode + 24 + 3, 0xc0f3, 0, 0xffffffff }));
}

TEST_F(SystemInstructionsTest, FastSystemCallsNeedTheirSegment)
{
    cpu.sysenterCs = 3;
    EXPECT_EQ(faultOfStep({ 0x0f, 0x34 }), generalProtection());
    EXPECT_EQ(faultOfStep({ 0x0f, 0x35 }), generalProtection());
    cpu.load(CpuState::afterReset());
    cpu.sysenterCs = kernelCode;
    EXPECT_EQ(faultOfStep({ 0x0f, 0x34 }), generalProtection()) << "not in real mode";
}

} // namespace namsan
