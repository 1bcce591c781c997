// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"

#include <gtest/gtest.h>

namespace namsan {

class SegmentLoadingTest : public ::testing::Test, protected ProcessorBench {
protected:
    SegmentLoadingTest() { enterProtectedMode(); }

    std::optional<Fault> faultOfLoad(SegmentIndex index, uint16_t selector)
    {
        return faultOf([&] { loadSegment(cpu, index, selector); });
    }
    void setSpare(uint8_t access, uint32_t base = 0, uint32_t limit = 0xfffff, uint8_t flags = 0xc)
    {
        setDescriptor(spare, makeDescriptor(base, limit, access, flags));
    }
};

TEST_F(SegmentLoadingTest, UnpacksTheDescriptor)
{
    setSpare(data0, 0x12345678, 0xabcde, 0x4);
    loadSegment(cpu, Fs, spare);
    EXPECT_EQ(cpu.segments[Fs].state, (SegmentState { spare, 0x4093, 0x12345678, 0xabcde }));
    EXPECT_FALSE(cpu.segments[Fs].flatReadable);

    setSpare(data0, 0, 0xfffff, 0xc);
    loadSegment(cpu, Fs, spare);
    EXPECT_EQ(cpu.segments[Fs].state.limit, 0xffffffffu);
    EXPECT_TRUE(cpu.segments[Fs].flatReadable);
    EXPECT_TRUE(cpu.segments[Fs].flatWritable);
}

TEST_F(SegmentLoadingTest, SetsTheAccessedBitInTheTable)
{
    setSpare(data0);
    loadSegment(cpu, Es, spare);
    EXPECT_EQ(get<uint8_t>(gdt + spare + 5), data0 | 1);
}

TEST_F(SegmentLoadingTest, TakesANullSelectorForDataOnly)
{
    EXPECT_FALSE(faultOfLoad(Ds, 3));
    EXPECT_EQ(cpu.segments[Ds].state.selector, 3);
    EXPECT_EQ(faultOf([&] { cpu.read<uint8_t>(Ds, 0); }), generalProtection());
    EXPECT_EQ(faultOfLoad(Ss, 0), generalProtection());
}

TEST_F(SegmentLoadingTest, RefusesSelectorsOutsideOfTheTable)
{
    EXPECT_EQ(faultOfLoad(Ds, outside), generalProtection(outside));
    cpu.gdtr.limit = outside + 6;
    EXPECT_EQ(faultOfLoad(Ds, outside | 1), generalProtection(outside));
    cpu.ldtr = { 0, access_rights::unusable, 0, 0 };
    EXPECT_EQ(faultOfLoad(Ds, 0x04), generalProtection(0x04));
}

TEST_F(SegmentLoadingTest, FindsDescriptorsInTheLocalTable)
{
    put(ldt + 8, makeDescriptor(0x7000, 0xff, data0, 0x4));
    cpu.ldtr = { localTable, 0x82, ldt, 0x1f };
    loadSegment(cpu, Gs, 0x0c);
    EXPECT_EQ(cpu.segments[Gs].state.base, 0x7000u);
    EXPECT_EQ(faultOfLoad(Gs, 0x24), generalProtection(0x24));
}

TEST_F(SegmentLoadingTest, RefusesTypesThatDataRegistersDoNotTake)
{
    setSpare(executeOnly0);
    EXPECT_EQ(faultOfLoad(Ds, spare), generalProtection(spare));
    EXPECT_EQ(faultOfLoad(Ds, taskState), generalProtection(taskState));
    setSpare(code0);
    EXPECT_FALSE(faultOfLoad(Ds, spare)) << "readable code is data";
    EXPECT_FALSE(cpu.segments[Ds].flatWritable);
}

TEST_F(SegmentLoadingTest, ComparesPrivilegeForDataAndCodeThatDoesNotConform)
{
    EXPECT_EQ(faultOfLoad(Ds, kernelData | 3), generalProtection(kernelData));
    enterLevel3();
    EXPECT_EQ(faultOfLoad(Ds, kernelData), generalProtection(kernelData));
    EXPECT_EQ(faultOfLoad(Ds, kernelCode), generalProtection(kernelCode));
    setSpare(conformingCode0);
    EXPECT_FALSE(faultOfLoad(Ds, spare | 3));
    EXPECT_FALSE(faultOfLoad(Ds, userData & ~3));
}

TEST_F(SegmentLoadingTest, TellsThatASegmentIsNotPresent)
{
    setSpare(data0 & ~notPresent);
    EXPECT_EQ(faultOfLoad(Ds, spare), fault(Exception::SegmentNotPresent, spare));
    EXPECT_EQ(faultOfLoad(Ss, spare), fault(Exception::StackFault, spare));
    EXPECT_EQ(cpu.segments[Ds].state.selector, kernelData);
}

TEST_F(SegmentLoadingTest, TakesOnlyWritableDataOfItsOwnLevelAsStack)
{
    setSpare(readOnlyData0);
    EXPECT_EQ(faultOfLoad(Ss, spare), generalProtection(spare));
    EXPECT_EQ(faultOfLoad(Ss, kernelCode), generalProtection(kernelCode));
    EXPECT_EQ(faultOfLoad(Ss, kernelData | 1), generalProtection(kernelData));
    EXPECT_EQ(faultOfLoad(Ss, userData), generalProtection(userData & ~3));
    EXPECT_FALSE(faultOfLoad(Ss, kernelData));
}

TEST_F(SegmentLoadingTest, LeavesTheRegisterAloneWhereTheTableCannotBeWritten)
{
    setSpare(data0);
    enablePaging();
    setPage(gdt, gdt | 1);
    writeCr0(cpu, cpu.cr0 | cr0::writeProtect);
    EXPECT_EQ(faultOfLoad(Ds, spare), pageFault(3));
    EXPECT_EQ(cpu.segments[Ds].state.selector, kernelData);
}

TEST_F(SegmentLoadingTest, RealModeKeepsLimitAndRights)
{
    setSpare(data0);
    loadSegment(cpu, Es, spare);
    writeCr0(cpu, 0);
    loadSegment(cpu, Es, 0x1234);
    EXPECT_EQ(cpu.segments[Es].state, (SegmentState { 0x1234, 0xc093, 0x12340, 0xffffffff }));
}

TEST_F(SegmentLoadingTest, MovAndPopOfStackSegmentHoldInterruptsOffForOneInstruction)
{
    cpu.gpr[Eax] = kernelData;
    step({ 0x8e, 0xd8 }); // mov ds, ax
    EXPECT_FALSE(cpu.interruptShadow);
    step({ 0x8e, 0xd0 }); // mov ss, ax
    EXPECT_TRUE(cpu.interruptShadow);
    cpu.interruptShadow = false;
    step({ 0x16 }); // push ss
    EXPECT_EQ(get32(kernelStack - 4), kernelData);
    step({ 0x17 }); // pop ss
    EXPECT_TRUE(cpu.interruptShadow);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack);
}

TEST_F(SegmentLoadingTest, MovesSelectorsAsWideAsTheDestination)
{
    cpu.gpr[Eax] = 0xffffffff;
    step({ 0x8c, 0xd8 }); // mov eax, ds
    EXPECT_EQ(cpu.gpr[Eax], kernelData);
    cpu.gpr[Eax] = 0xffffffff;
    step({ 0x66, 0x8c, 0xd8 }); // mov ax, ds
    EXPECT_EQ(cpu.gpr[Eax], 0xffff0000u | kernelData);
    put<uint32_t>(0x6000, 0xffffffff);
    step({ 0x8c, 0x1d, 0x00, 0x60, 0x00, 0x00 }); // mov [6000h], ds
    EXPECT_EQ(get32(0x6000), 0xffff0000u | kernelData);
    EXPECT_EQ(faultOfStep({ 0x8e, 0xc8 }), invalidOpcode()) << "mov cs, ax";
    EXPECT_EQ(faultOfStep({ 0x8e, 0xf0 }), invalidOpcode()) << "no such segment";
}

TEST_F(SegmentLoadingTest, FarPointersLoadBothHalvesOrNothing)
{
    put<uint32_t>(0x6000, 0xdeadbeef);
    put<uint16_t>(0x6004, kernelData);
    step({ 0x0f, 0xb4, 0x1d, 0x00, 0x60, 0x00, 0x00 }); // lfs ebx, [6000h]
    EXPECT_EQ(cpu.gpr[Ebx], 0xdeadbeefu);
    put<uint16_t>(0x6004, outside);
    put<uint32_t>(0x6000, 1);
    EXPECT_EQ(faultOfStep({ 0xc4, 0x1d, 0x00, 0x60, 0x00, 0x00 }), generalProtection(outside));
    EXPECT_EQ(cpu.gpr[Ebx], 0xdeadbeefu);
    EXPECT_EQ(cpu.segments[Es].state.selector, kernelData);
}

} // namespace namsan
