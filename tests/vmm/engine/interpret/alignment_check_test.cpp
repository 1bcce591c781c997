// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"
#include "vmm/engine/interpret/far_transfers.h"

#include <gtest/gtest.h>

namespace namsan {

// Intel SDM volume 3, 6.15, interrupt 17. Data at 6000h.
class AlignmentCheckTest : public ::testing::Test, protected ProcessorBench {
protected:
    AlignmentCheckTest()
    {
        enterProtectedMode();
        writeCr0(cpu, cpu.cr0 | cr0::alignmentMask);
        enterLevel3();
        cpu.setEflags(eflags::alwaysOne | eflags::alignmentCheck);
    }
    static std::optional<Fault> alignmentCheck() { return fault(Exception::AlignmentCheck, 0); }

    std::optional<Fault> faultAt(uint32_t address, std::initializer_list<uint8_t> bytes)
    {
        cpu.gpr[Ebx] = address;
        cpu.gpr[Esi] = address;
        cpu.gpr[Edi] = 0x6800;
        return faultOfStep(bytes);
    }
};

TEST_F(AlignmentCheckTest, OperandsAreAlignedToTheirSize)
{
    EXPECT_FALSE(faultAt(0x6001, { 0x8a, 0x03 })); // mov al,[ebx]
    EXPECT_FALSE(faultAt(0x6002, { 0x66, 0x8b, 0x03 })); // mov ax,[ebx]
    EXPECT_EQ(faultAt(0x6001, { 0x66, 0x8b, 0x03 }), alignmentCheck());
    EXPECT_FALSE(faultAt(0x6004, { 0x8b, 0x03 })); // mov eax,[ebx]
    EXPECT_EQ(faultAt(0x6002, { 0x8b, 0x03 }), alignmentCheck());
    EXPECT_EQ(faultAt(0x6002, { 0x89, 0x03 }), alignmentCheck()); // mov [ebx],eax
    EXPECT_EQ(faultAt(0x6004, { 0x0f, 0xc7, 0x0b }), alignmentCheck()); // cmpxchg8b [ebx]
    EXPECT_FALSE(faultAt(0x6008, { 0x0f, 0xc7, 0x0b }));
    EXPECT_EQ(faultAt(0x6004, { 0xdd, 0x03 }), alignmentCheck()); // fld qword [ebx]
}

TEST_F(AlignmentCheckTest, NothingChangesWhereItFaults)
{
    put<uint32_t>(0x6000, 0x11223344);
    cpu.gpr[Eax] = 5;
    EXPECT_EQ(faultAt(0x6001, { 0x01, 0x03 }), alignmentCheck()); // add [ebx],eax
    EXPECT_EQ(get32(0x6000), 0x11223344u);
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::alignmentCheck);
    cpu.gpr[Esp] = userStack - 2;
    EXPECT_EQ(faultOfStep({ 0x50 }), alignmentCheck()); // push eax
    EXPECT_EQ(cpu.gpr[Esp], userStack - 2);
}

TEST_F(AlignmentCheckTest, StringsAreCheckedElementByElement)
{
    cpu.gpr[Ecx] = 4;
    EXPECT_EQ(faultAt(0x6001, { 0xf3, 0xa5 }), alignmentCheck()); // rep movsd
    EXPECT_EQ(cpu.gpr[Ecx], 4u);
    EXPECT_FALSE(faultAt(0x6001, { 0xf3, 0xa4 })) << "rep movsb";
}

TEST_F(AlignmentCheckTest, FarPointersAndTableRegistersHaveTheirOwn)
{
    put<uint32_t>(0x6004, 0x5000);
    put<uint16_t>(0x6008, userCode);
    EXPECT_FALSE(faultAt(0x6004, { 0xff, 0x2b })) << "jmp far [ebx]: 4 bytes";
    EXPECT_EQ(faultAt(0x6002, { 0xff, 0x2b }), alignmentCheck());
    EXPECT_FALSE(faultAt(0x6004, { 0x0f, 0x01, 0x03 })) << "sgdt [ebx]";
    EXPECT_EQ(faultAt(0x6002, { 0x0f, 0x01, 0x03 }), alignmentCheck());
}

TEST_F(AlignmentCheckTest, PageFaultsComeFirst)
{
    enablePaging();
    setPage(0x6000, 0);
    EXPECT_EQ(faultAt(0x6001, { 0x8b, 0x03 }), pageFault(4));
}

TEST_F(AlignmentCheckTest, AllThreeConditionsAreNeeded)
{
    cpu.setEflags(eflags::alwaysOne);
    EXPECT_FALSE(faultAt(0x6001, { 0x8b, 0x03 })) << "without AC";
    cpu.setEflags(eflags::alwaysOne | eflags::alignmentCheck);
    EXPECT_EQ(faultAt(0x6001, { 0x8b, 0x03 }), alignmentCheck());
    writeCr0(cpu, cpu.cr0 & ~cr0::alignmentMask);
    EXPECT_FALSE(faultAt(0x6001, { 0x8b, 0x03 })) << "without AM";
    writeCr0(cpu, cpu.cr0 | cr0::alignmentMask);
    cpu.setCpl(0);
    EXPECT_FALSE(cpu.isObserved());
    cpu.setCpl(3);
    EXPECT_TRUE(cpu.isObserved()) << "so translated code must stay out";
}

TEST_F(AlignmentCheckTest, TheProcessorsOwnAccessesAreFree)
{
    cpu.tr = { taskState, 0x8b, tss + 1, 0xff };
    put<uint32_t>(tss + 5, kernelStack);
    put<uint16_t>(tss + 9, kernelData);
    setDescriptor(spare, makeGate(kernelCode, 0x6000, 0xec)); // a call gate
    EXPECT_FALSE(faultOf([&] { callFar(cpu, spare, 0, 4); }));
    EXPECT_EQ(cpu.cpl, 0);
    EXPECT_FALSE(cpu.isObserved());
}

TEST_F(AlignmentCheckTest, SetByPopfItEndsTheBlock)
{
    cpu.setEflags(eflags::alwaysOne);
    cpu.gpr[Esp] = userStack - 4;
    put<uint32_t>(userStack - 4, eflags::alwaysOne | eflags::alignmentCheck);
    cpu.leaveBlock = false;
    step({ 0x9d });
    EXPECT_TRUE(cpu.leaveBlock);
    EXPECT_TRUE(cpu.isObserved());
}

} // namespace namsan
