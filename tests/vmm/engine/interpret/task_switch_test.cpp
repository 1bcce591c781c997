// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/task_switch.h"

#include "tests/vmm/engine/processor_bench.h"
#include "vmm/engine/interpret/debug_registers.h"
#include "vmm/engine/interpret/far_transfers.h"
#include "vmm/engine/interpret/interrupt_delivery.h"

#include <gtest/gtest.h>

namespace namsan {

// Intel SDM volume 3, 7.2 and 7.3: the task of the bench's TSS, and another one whose TSS `spare` names.
class TaskSwitchTest : public ::testing::Test, protected ProcessorBench {
protected:
    static constexpr uint32_t tss2 = 0x3400;
    static constexpr uint8_t availableTss32 = 0x89;
    static constexpr uint8_t availableTss16 = 0x81;
    static constexpr uint8_t busy = 2;
    static constexpr uint8_t taskGate = 0x85;
    static constexpr uint32_t newStack = 0x9800;
    static constexpr uint32_t flags = eflags::alwaysOne | eflags::interruptEnable | eflags::carry;

    TaskSwitchTest()
    {
        enterProtectedMode();
        cpu.nextEip = 0x5007;
        cpu.setEflags(flags);
        for (uint32_t n = 0; n < 8; ++n)
            if (n != Esp)
                cpu.gpr[n] = 0x11111111 * (n + 1);
        setDescriptor(taskState, makeDescriptor(tss, 0xff, availableTss32 | busy, 0));
        setDescriptor(spare, makeDescriptor(tss2, 0x67, availableTss32, 0));
        makeTask32();
    }

    void makeTask32(uint16_t code = kernelCode, uint16_t data = kernelData, uint32_t newFlags = eflags::alwaysOne)
    {
        put<uint32_t>(tss2 + 32, 0x6000);
        put<uint32_t>(tss2 + 36, newFlags);
        for (uint32_t n = 0; n < 8; ++n)
            put<uint32_t>(tss2 + 40 + 4 * n, 0x01010101 * (n + 1));
        put<uint32_t>(tss2 + 56, newStack);
        for (const uint32_t offset : { 72u, 80u, 84u, 88u, 92u })
            put<uint16_t>(tss2 + offset, data);
        put<uint16_t>(tss2 + 76, code);
        put<uint16_t>(tss2 + 96, localTable);
    }
    unsigned typeOf(uint16_t selector) const { return get<uint8_t>(gdt + selector + 5) & 15; }

    std::optional<Fault> faultOfJump(uint16_t selector)
    {
        return faultOf([&] { jumpFar(cpu, selector, 0x1234, 4); });
    }
    std::optional<Fault> faultOfCall(uint16_t selector)
    {
        return faultOf([&] { callFar(cpu, selector, 0x1234, 4); });
    }
    std::optional<Fault> faultOfIret()
    {
        return faultOf([&] { returnFromInterrupt(cpu, 4); });
    }
    // Still in the first task, whose TSS nobody has written to.
    void expectNoSwitch()
    {
        EXPECT_EQ(cpu.tr.selector, taskState);
        EXPECT_EQ(cpu.nextEip, 0x5007u);
        EXPECT_EQ(cpu.gpr[Esp], kernelStack);
        EXPECT_EQ(get32(tss + 32), 0u);
        EXPECT_EQ(typeOf(taskState), 11u);
        EXPECT_FALSE(cpu.cr0 & cr0::taskSwitched);
    }
    void expectNewTask()
    {
        EXPECT_EQ(cpu.tr.selector, spare);
        EXPECT_EQ(cpu.tr.base, tss2);
        EXPECT_EQ(cpu.tr.accessRights & 15, 11u);
        EXPECT_EQ(typeOf(spare), 11u);
        EXPECT_EQ(cpu.nextEip, 0x6000u);
        EXPECT_EQ(cpu.gpr[Eax], 0x01010101u);
        EXPECT_EQ(cpu.gpr[Edi], 0x08080808u);
        EXPECT_EQ(cpu.gpr[Esp], newStack);
        EXPECT_TRUE(cpu.cr0 & cr0::taskSwitched);
        EXPECT_TRUE(cpu.leaveBlock);
    }
};

TEST_F(TaskSwitchTest, JumpsLeaveTheOldTaskAvailableAndUnlinked)
{
    put<uint16_t>(tss2, 0x7777);
    EXPECT_FALSE(faultOfJump(spare));
    expectNewTask();
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne) << "no NT";
    EXPECT_EQ(typeOf(taskState), 9u);
    EXPECT_EQ(get<uint16_t>(tss2), 0x7777);
    EXPECT_EQ(cpu.ldtr.selector, localTable);
    EXPECT_EQ(cpu.ldtr.base, ldt);
    for (const SegmentIndex index : { Es, Ss, Ds, Fs, Gs })
        EXPECT_EQ(cpu.segments[index].state.selector, kernelData);

    EXPECT_EQ(get32(tss + 32), 0x5007u);
    EXPECT_EQ(get32(tss + 36), flags);
    EXPECT_EQ(get32(tss + 40), 0x11111111u);
    EXPECT_EQ(get32(tss + 56), kernelStack);
    EXPECT_EQ(get32(tss + 68), 0x88888888u);
    EXPECT_EQ(get<uint16_t>(tss + 72), kernelData);
    EXPECT_EQ(get<uint16_t>(tss + 76), kernelCode);
    EXPECT_EQ(get<uint16_t>(tss + 92), kernelData);
    EXPECT_EQ(get<uint16_t>(tss + 96), 0) << "LDTR is not saved";
}

TEST_F(TaskSwitchTest, CallsNestAndInterruptReturnsComeBack)
{
    EXPECT_FALSE(faultOfCall(spare));
    expectNewTask();
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::nestedTask);
    EXPECT_EQ(get<uint16_t>(tss2), taskState) << "the back link";
    EXPECT_EQ(typeOf(taskState), 11u) << "busy: it waits";

    cpu.nextEip = 0x6001;
    cpu.gpr[Eax] = 0xabcd;
    cpu.nmiBlocked = true;
    EXPECT_FALSE(faultOfIret());
    EXPECT_EQ(cpu.tr.selector, taskState);
    EXPECT_EQ(cpu.nextEip, 0x5007u);
    EXPECT_EQ(cpu.eflags(), flags);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack);
    EXPECT_EQ(cpu.gpr[Eax], 0x11111111u);
    EXPECT_FALSE(cpu.nmiBlocked);
    EXPECT_EQ(typeOf(spare), 9u);
    EXPECT_EQ(typeOf(taskState), 11u);
    EXPECT_EQ(get32(tss2 + 36), eflags::alwaysOne) << "saved without NT";
    EXPECT_EQ(get32(tss2 + 32), 0x6001u);
    EXPECT_EQ(get32(tss2 + 40), 0xabcdu);
}

TEST_F(TaskSwitchTest, SixteenBitTasksBothWays)
{
    setDescriptor(spare, makeDescriptor(tss2, 0x2b, availableTss16, 0));
    for (uint32_t offset = 0; offset < 44; offset += 2)
        put<uint16_t>(tss2 + offset, 0);
    put<uint16_t>(tss2 + 14, 0x6000);
    put<uint16_t>(tss2 + 16, 0x0202);
    for (uint32_t n = 0; n < 8; ++n)
        put<uint16_t>(tss2 + 18 + 2 * n, static_cast<uint16_t>(0x0101 * (n + 1)));
    for (const uint32_t offset : { 34u, 38u, 40u })
        put<uint16_t>(tss2 + offset, kernelData);
    put<uint16_t>(tss2 + 36, kernelCode);
    EXPECT_FALSE(faultOfCall(spare));
    EXPECT_EQ(cpu.tr.accessRights & 15, 3u);
    EXPECT_EQ(cpu.nextEip, 0x6000u);
    EXPECT_EQ(cpu.eflags(), 0x0202u | eflags::nestedTask);
    EXPECT_EQ(cpu.gpr[Eax], 0x0101u);
    EXPECT_EQ(cpu.gpr[Esp], 0x0505u);
    EXPECT_EQ(cpu.segments[Fs].state.accessRights, access_rights::unusable);
    EXPECT_EQ(cpu.ldtr.selector, 0);
    EXPECT_EQ(get32(tss + 32), 0x5007u) << "the old one is of 32 bits";

    cpu.nextEip = 0x12346002;
    cpu.gpr[Edi] = 0xdeadbeef;
    EXPECT_FALSE(faultOfIret());
    EXPECT_EQ(cpu.tr.selector, taskState);
    EXPECT_EQ(cpu.nextEip, 0x5007u);
    EXPECT_EQ(get<uint16_t>(tss2 + 14), 0x6002) << "saved as far as there is room";
    EXPECT_EQ(get<uint16_t>(tss2 + 32), 0xbeef);
    EXPECT_EQ(get<uint16_t>(tss2 + 42), 0);
    EXPECT_EQ(typeOf(spare), 1u);
}

TEST_F(TaskSwitchTest, TargetsAreCheckedBeforeAnythingChanges)
{
    EXPECT_EQ(faultOfJump(taskState), generalProtection(taskState)) << "busy: the current task itself";
    setDescriptor(spare, makeDescriptor(tss2, 0x67, availableTss32 | busy, 0));
    EXPECT_EQ(faultOfCall(spare), generalProtection(spare));
    setDescriptor(spare, makeDescriptor(tss2, 0x67, availableTss32 & ~notPresent, 0));
    EXPECT_EQ(faultOfCall(spare), fault(Exception::SegmentNotPresent, spare));
    setDescriptor(spare, makeDescriptor(tss2, 0x66, availableTss32, 0));
    EXPECT_EQ(faultOfCall(spare), fault(Exception::InvalidTss, spare));
    setDescriptor(spare, makeDescriptor(tss2, 0x2a, availableTss16, 0));
    EXPECT_EQ(faultOfJump(spare), fault(Exception::InvalidTss, spare));
    setDescriptor(spare, makeDescriptor(tss2, 0x67, availableTss32, 0));
    EXPECT_EQ(faultOfJump(spare | 3), generalProtection(spare)) << "RPL above DPL";
    expectNoSwitch();
    enterLevel3();
    cpu.nextEip = 0x5007;
    EXPECT_EQ(faultOfJump(spare), generalProtection(spare)) << "CPL above DPL";
}

TEST_F(TaskSwitchTest, TaskGatesLendTheirPrivilege)
{
    setDescriptor(spare2, makeGate(spare, 0, taskGate | 0x60));
    enterLevel3();
    cpu.nextEip = 0x5007;
    EXPECT_FALSE(faultOfCall(spare2 | 3));
    expectNewTask();
    EXPECT_EQ(cpu.cpl, 0);
    EXPECT_EQ(get<uint16_t>(tss + 76), userCode);
}

TEST_F(TaskSwitchTest, TaskGatesAreChecked)
{
    setDescriptor(spare2, makeGate(spare, 0, (taskGate | 0x60) & ~0x80));
    EXPECT_EQ(faultOfJump(spare2), fault(Exception::SegmentNotPresent, spare2));
    setDescriptor(spare2, makeGate(spare | 4, 0, taskGate));
    EXPECT_EQ(faultOfJump(spare2), generalProtection(spare | 4)) << "not in the GDT";
    setDescriptor(spare2, makeGate(outside, 0, taskGate));
    EXPECT_EQ(faultOfJump(spare2), generalProtection(outside));
    setDescriptor(spare2, makeGate(kernelData, 0, taskGate));
    EXPECT_EQ(faultOfJump(spare2), generalProtection(kernelData));
    EXPECT_EQ(faultOfJump(spare2 | 1), generalProtection(spare2)) << "RPL";
    expectNoSwitch();
}

TEST_F(TaskSwitchTest, APageFaultComesBeforeTheSwitch)
{
    enablePaging();
    put<uint32_t>(tss2 + 28, pageDirectory);
    constexpr uint32_t far = 0x00201fc0; // over a page's end
    setDescriptor(spare, makeDescriptor(far, 0x67, availableTss32, 0));
    setPage(0x00202000, 0);
    EXPECT_EQ(faultOfJump(spare), pageFault(0));
    EXPECT_EQ(cpu.cr2, 0x00202000u);
    expectNoSwitch();
    setPage(0x00202000, 0x00202001);
    writeCr0(cpu, cpu.cr0 | cr0::writeProtect);
    setPage(0x00201000, 0x00201001); // the back link cannot be written
    EXPECT_EQ(faultOfCall(spare), pageFault(3));
    expectNoSwitch();
}

TEST_F(TaskSwitchTest, PagingGoesOnWithTheNewTasksTables)
{
    enablePaging();
    constexpr uint32_t otherDirectory = 0x12000;
    put<uint32_t>(otherDirectory, get32(pageDirectory));
    put<uint32_t>(tss2 + 28, otherDirectory);
    EXPECT_FALSE(faultOfJump(spare));
    EXPECT_EQ(cpu.cr3, otherDirectory);
    EXPECT_EQ(get32(tss + 28), 0u) << "CR3 is not saved";
}

TEST_F(TaskSwitchTest, FaultsOfTheNewTasksSegmentsAreItsOwn)
{
    struct Case {
        uint32_t offset;
        uint16_t selector;
        Exception exception;
        uint32_t errorCode;
    };
    setDescriptor(spare2, makeDescriptor(0, 0xfffff, code0 & ~notPresent));
    const Case cases[] = {
        { 96, kernelData, Exception::InvalidTss, kernelData }, // LDT
        { 96, localTable | 4, Exception::InvalidTss, localTable | 4 }, { 76, 0, Exception::InvalidTss, 0 }, // CS
        { 76, kernelData, Exception::InvalidTss, kernelData },
        { 76, kernelCode | 3, Exception::InvalidTss, kernelCode }, { 76, spare2, Exception::SegmentNotPresent, spare2 },
        { 80, 0, Exception::InvalidTss, 0 }, // SS
        { 80, userData, Exception::InvalidTss, userData & ~3 }, { 84, outside, Exception::InvalidTss, outside }, // DS
        { 72, taskState, Exception::InvalidTss, taskState }, // ES
    };
    for (const Case& c : cases) {
        makeTask32();
        setDescriptor(spare, makeDescriptor(tss2, 0x67, availableTss32, 0));
        setDescriptor(taskState, makeDescriptor(tss, 0xff, availableTss32 | busy, 0));
        cpu.tr = { taskState, 0x8b, tss, 0xff };
        cpu.setCpl(0);
        put<uint16_t>(tss2 + c.offset, c.selector);
        EXPECT_EQ(faultOfJump(spare), fault(c.exception, c.errorCode)) << c.offset << ": " << c.selector;
        EXPECT_EQ(cpu.tr.selector, spare);
        EXPECT_EQ(cpu.eip, 0x6000u) << "the return address is the new task's";
        EXPECT_EQ(cpu.gpr[Eax], 0x01010101u);
    }
}

TEST_F(TaskSwitchTest, ANotPresentStackOfTheNewTaskIsAStackFault)
{
    setDescriptor(spare2, makeDescriptor(0, 0xfffff, data0 & ~notPresent));
    put<uint16_t>(tss2 + 80, spare2);
    EXPECT_EQ(faultOfJump(spare), fault(Exception::StackFault, spare2));
    EXPECT_EQ(cpu.segments[Ss].state, (SegmentState { spare2, access_rights::unusable, 0, 0 }));
}

TEST_F(TaskSwitchTest, AnEntryBeyondTheCodeSegmentFaultsInTheNewTask)
{
    setDescriptor(spare2, makeDescriptor(0, 0x5fff, code0, 0x4));
    put<uint16_t>(tss2 + 76, spare2);
    EXPECT_EQ(faultOfJump(spare), generalProtection());
    EXPECT_EQ(cpu.tr.selector, spare);
    EXPECT_EQ(cpu.segments[Gs].state.selector, kernelData);
}

TEST_F(TaskSwitchTest, ReturnsCheckTheBackLink)
{
    cpu.setEflags(flags | eflags::nestedTask);
    put<uint16_t>(tss, spare);
    EXPECT_EQ(faultOfIret(), fault(Exception::InvalidTss, spare)) << "not busy";
    put<uint16_t>(tss, kernelData);
    EXPECT_EQ(faultOfIret(), fault(Exception::InvalidTss, kernelData));
    put<uint16_t>(tss, 0);
    EXPECT_EQ(faultOfIret(), fault(Exception::InvalidTss, 0));
    put<uint16_t>(tss, spare | 4);
    EXPECT_EQ(faultOfIret(), fault(Exception::InvalidTss, spare | 4));
    setDescriptor(spare, makeDescriptor(tss2, 0x67, (availableTss32 | busy) & ~notPresent, 0));
    put<uint16_t>(tss, spare);
    EXPECT_EQ(faultOfIret(), fault(Exception::SegmentNotPresent, spare));
    expectNoSwitch();
}

TEST_F(TaskSwitchTest, ATaskMayReturnToItself)
{
    cpu.setEflags(flags | eflags::nestedTask);
    put<uint16_t>(tss, taskState);
    EXPECT_FALSE(faultOfIret());
    EXPECT_EQ(cpu.nextEip, 0x5007u);
    EXPECT_EQ(cpu.eflags(), flags);
    EXPECT_EQ(typeOf(taskState), 11u);
}

TEST_F(TaskSwitchTest, TheDebugBitTrapsAndLocalBreakpointsEnd)
{
    put<uint16_t>(tss2 + 100, 1);
    writeDebugRegister(cpu, 7, 0x7ff);
    EXPECT_FALSE(faultOfJump(spare));
    EXPECT_EQ(cpu.pendingDebug, dr6::taskSwitch);
    EXPECT_EQ(cpu.dr[7], 0x6aau);
}

TEST_F(TaskSwitchTest, InterruptsThroughTaskGatesNest)
{
    setGate(0x30, makeGate(spare, 0, taskGate));
    deliverInterrupt(cpu, 0x30);
    expectNewTask();
    EXPECT_TRUE(cpu.eflags() & eflags::nestedTask);
    EXPECT_FALSE(cpu.eflags() & eflags::interruptEnable);
    EXPECT_EQ(get32(tss + 32), 0x5000u);
    EXPECT_EQ(get32(tss + 36), flags);
    EXPECT_EQ(get<uint16_t>(tss2), taskState);
    EXPECT_TRUE(cpu.eventDelivered);
}

TEST_F(TaskSwitchTest, ExceptionsPushTheirErrorCodeInTheNewTask)
{
    setGate(13, makeGate(spare, 0, taskGate));
    deliverException(cpu, { Exception::GeneralProtection, 0x1230 });
    EXPECT_EQ(cpu.tr.selector, spare);
    EXPECT_EQ(cpu.gpr[Esp], newStack - 4);
    EXPECT_EQ(get32(newStack - 4), 0x1230u);
    EXPECT_EQ(get32(tss + 36), flags | eflags::resume) << "a fault: it will be restarted";
}

TEST_F(TaskSwitchTest, SoftwareInterruptsNeedTheGatesPrivilege)
{
    setGate(0x30, makeGate(spare, 0, taskGate));
    enterLevel3();
    cpu.nextEip = 0x5007;
    EXPECT_EQ(faultOf([&] { deliverSoftwareInterrupt(cpu, 0x30); }), generalProtection(0x30 * 8 + 2));
    setGate(0x30, makeGate(spare, 0, taskGate | 0x60));
    EXPECT_FALSE(faultOf([&] { deliverSoftwareInterrupt(cpu, 0x30); }));
    EXPECT_EQ(get32(tss + 32), 0x5007u);
    EXPECT_EQ(cpu.cpl, 0);
}

TEST_F(TaskSwitchTest, AFaultOfASwitchForAnInterruptIsExternal)
{
    setGate(0x30, makeGate(spare, 0, taskGate));
    setGate(10, makeGate(kernelCode, 0x7000, 0x8e));
    put<uint16_t>(tss2 + 84, outside);
    deliverInterrupt(cpu, 0x30);
    EXPECT_EQ(cpu.nextEip, 0x7000u);
    EXPECT_EQ(get32(cpu.gpr[Esp]), outside | 1u);
    EXPECT_EQ(get32(cpu.gpr[Esp] + 4), 0x6000u) << "in the new task";
    EXPECT_EQ(cpu.tr.selector, spare);
}

TEST_F(TaskSwitchTest, ATaskMayRunInVirtual8086Mode)
{
    makeTask32(0x2000, 0x3000, eflags::alwaysOne | eflags::virtual8086);
    EXPECT_FALSE(faultOfJump(spare));
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.segments[Cs].state, (SegmentState { 0x2000, 0xf3, 0x20000, 0xffff }));
    EXPECT_EQ(cpu.segments[Gs].state, (SegmentState { 0x3000, 0xf3, 0x30000, 0xffff }));
    EXPECT_EQ(cpu.ldtr.selector, localTable);
}

} // namespace namsan
