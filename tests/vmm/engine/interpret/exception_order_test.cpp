// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/guest_program.h"
#include "tests/vmm/engine/processor_bench.h"

#include <gtest/gtest.h>

namespace namsan {

// Which of several exceptions an instruction ends in, and what comes first between two instructions. Intel SDM volume
// 3, table 6-2.
class ExceptionOrderTest : public ::testing::Test, protected ProcessorBench {
protected:
    ExceptionOrderTest() { enterProtectedMode(); }
};

TEST_F(ExceptionOrderTest, UndefinedInstructionsBeforePrivilege)
{
    enterLevel3();
    EXPECT_EQ(faultOfStep({ 0x0f, 0x20, 0xc8 }), invalidOpcode()) << "mov eax,cr1";
    EXPECT_EQ(faultOfStep({ 0xf0, 0xf4 }), invalidOpcode()) << "lock hlt";
    cpu.cr4 = cr4::debuggingExtensions;
    EXPECT_EQ(faultOfStep({ 0x0f, 0x21, 0xe0 }), invalidOpcode()) << "mov eax,dr4";
    EXPECT_EQ(faultOfStep({ 0x0f, 0x20, 0xc0 }), generalProtection()) << "mov eax,cr0";
}

TEST_F(ExceptionOrderTest, PrivilegeBeforeGeneralDetect)
{
    cpu.dr[7] |= 1 << 13;
    enterLevel3();
    EXPECT_EQ(faultOfStep({ 0x0f, 0x21, 0xc0 }), generalProtection()) << "mov eax,dr0";
    cpu.setCpl(0);
    EXPECT_EQ(faultOfStep({ 0x0f, 0x21, 0xc0 }), (Fault { Exception::Debug, {} }));
}

TEST_F(ExceptionOrderTest, MissingDeviceBeforeMemory)
{
    cpu.setSegment(Ds, { kernelData, 0xc093, 0, 0xff });
    cpu.cr0 |= cr0::taskSwitched;
    EXPECT_EQ(faultOfStep({ 0xd9, 0x05, 0x00, 0x60, 0x00, 0x00 }), (Fault { Exception::DeviceNotAvailable, {} }));
    cpu.cr0 &= ~cr0::taskSwitched;
    EXPECT_EQ(faultOfStep({ 0xd9, 0x05, 0x00, 0x60, 0x00, 0x00 }), generalProtection());
}

TEST_F(ExceptionOrderTest, SegmentsBeforePagesBeforeAlignmentBeforeArithmetic)
{
    enablePaging();
    setPage(0x6000, 0);
    writeCr0(cpu, cpu.cr0 | cr0::alignmentMask);
    enterLevel3();
    cpu.setEflags(eflags::alwaysOne | eflags::alignmentCheck);
    cpu.setSegment(Ds, { userData, 0xc0f3, 0, 0xfff });
    const auto divide = [&] { return faultOfStep({ 0xf7, 0x35, 0x01, 0x60, 0x00, 0x00 }); }; // div dword [6001h]
    EXPECT_EQ(divide(), generalProtection());
    loadSegment(cpu, Ds, userData);
    EXPECT_EQ(divide(), pageFault(4));
    setPage(0x6000, 0x6007);
    EXPECT_EQ(divide(), fault(Exception::AlignmentCheck, 0));
    cpu.setEflags(eflags::alwaysOne);
    EXPECT_EQ(divide(), (Fault { Exception::DivideError, {} }));
}

TEST_F(ExceptionOrderTest, PortPermissionBeforeMemory)
{
    enterLevel3();
    cpu.setSegment(Es, { 0, access_rights::unusable, 0, 0 });
    EXPECT_EQ(faultOfStep({ 0x6c }), generalProtection());
    EXPECT_TRUE(bus.portReads.empty());
}

TEST_F(ExceptionOrderTest, SelectorsBeforePresence)
{
    setDescriptor(spare, makeDescriptor(0, 0xfffff, executeOnly0 & ~notPresent));
    EXPECT_EQ(faultOf([&] { loadSegment(cpu, Ds, spare); }), generalProtection(spare)) << "not readable";
    setDescriptor(spare, makeDescriptor(0, 0xfffff, data0 & ~notPresent));
    EXPECT_EQ(faultOf([&] { loadSegment(cpu, Ds, spare); }), fault(Exception::SegmentNotPresent, spare));
    EXPECT_EQ(faultOf([&] { loadSegment(cpu, Ss, spare | 1); }), generalProtection(spare)) << "RPL";
    EXPECT_EQ(faultOf([&] { loadSegment(cpu, Ss, spare); }), fault(Exception::StackFault, spare));
}

// -- between two instructions
// ---------------------------------------------------------------------------------------------

class EventOrderTest : public ::testing::Test {
protected:
    using Reason = VcpuExit::Reason;
    static constexpr uint32_t code = GuestProgram::codeAddress;

    GuestProgram program;

    void breakAt(uint32_t address)
    {
        program.state.dr[0] = address;
        program.state.dr[7] = 0x402;
    }
};

TEST_F(EventOrderTest, InterruptsBeforeInstructionBreakpoints)
{
    program.code({ 0x43 });
    breakAt(code);
    program.state.eflags |= eflags::interruptEnable;
    program.vcpu().setInterruptRequest(true);
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 0x20u);
    EXPECT_EQ(program.pushed(0), code);
    EXPECT_EQ(program.state.dr[6] & 0xf, 0u);
}

TEST_F(EventOrderTest, InstructionBreakpointsBeforeTheFetchAndWhatIsFetched)
{
    program.code({ 0x0f, 0x0b });
    breakAt(code);
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 1u);

    GuestProgram beyond;
    beyond.code({ 0x43 });
    beyond.state.segments[Cs].limit = code - 1; // the fetch would be #GP
    beyond.state.dr[0] = code;
    beyond.state.dr[7] = 0x402;
    EXPECT_EQ(beyond.run(), Reason::Halted);
    EXPECT_EQ(beyond.raised(), 1u);
}

TEST_F(EventOrderTest, TrapsOfTheLastInstructionBeforeBreakpointsOfTheNext)
{
    program.code({ 0x43, 0x43 });
    breakAt(code + 1);
    program.state.eflags |= eflags::trap;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 1u);
    EXPECT_EQ(program.state.dr[6], 0xffff0ff0 | 1 << 14) << "the single step alone";
    EXPECT_EQ(program.pushed(0), code + 1);
}

TEST_F(EventOrderTest, NmiBeforeInterrupt)
{
    program.code({ 0x43 });
    program.state.eflags |= eflags::interruptEnable;
    program.vcpu().setInterruptRequest(true);
    program.state.nmiPending = true;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 2u);
    EXPECT_EQ(program.bus().acknowledged, 0u);
}

TEST_F(EventOrderTest, ATaskSwitchTrapsBeforeTheNewTasksFirstInstruction)
{
    constexpr uint32_t gdt = 0x1000, tss = 0x1900;
    program.code({ 0xea, 0, 0, 0, 0, 0x40, 0 }); // jmp 40h:0
    program.write<uint64_t>(gdt + 0x28, 0x00008b0018000067).write<uint64_t>(gdt + 0x40, 0x0000890019000067);
    program.write<uint32_t>(tss + 32, 0x12000).write<uint32_t>(tss + 36, 2u).write<uint32_t>(tss + 56, 0x60000);
    for (const uint32_t offset : { 72u, 80u, 84u })
        program.write<uint32_t>(tss + offset, 16u);
    program.write<uint32_t>(tss + 76, 8u).write<uint32_t>(tss + 100, 1u); // T
    program.store(0x12000, { 0x43, 0xf4 });
    program.state.tr = { 0x28, 0x8b, 0x1800, 0x67 };
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 1u);
    EXPECT_EQ(program.state.dr[6], 0xffff0ff0 | 1 << 15);
    EXPECT_EQ(program.pushed(0), 0x12000u);
    EXPECT_EQ(program.reg(Ebx), 0u);
}

} // namespace namsan
