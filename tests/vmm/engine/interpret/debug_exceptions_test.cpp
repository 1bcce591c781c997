// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/guest_program.h"

#include <gtest/gtest.h>

namespace namsan {

// Breakpoints and single steps, and when their exception comes. Intel SDM volume 3, chapter 17.
class DebugExceptionsTest : public ::testing::Test {
protected:
    using Reason = VcpuExit::Reason;
    static constexpr uint32_t code = GuestProgram::codeAddress;
    static constexpr uint32_t data = GuestProgram::dataAddress;
    static constexpr uint32_t debugHandler = GuestProgram::handlersAddress + 16;
    static constexpr uint32_t singleStep = 1 << 14;
    static constexpr uint32_t dr6AtReset = 0xffff0ff0;

    GuestProgram program;

    // condition: 0 execute, 1 write, 2 port, 3 access; length: 0 one byte, 1 two, 3 four. Enabled globally.
    void setBreakpoint(unsigned number, uint32_t address, unsigned condition, unsigned length = 0)
    {
        program.state.dr[number] = address;
        program.state.dr[7] |= 2u << (2 * number) | (condition | length << 2) << (16 + 4 * number);
    }
    void expectTrap(uint32_t reasons, uint32_t eip)
    {
        EXPECT_EQ(program.run(), Reason::Halted);
        EXPECT_EQ(program.raised(), 1u);
        EXPECT_EQ(program.state.dr[6], dr6AtReset | reasons);
        EXPECT_EQ(program.pushed(0), eip);
    }
    void expectNoTrap()
    {
        EXPECT_EQ(program.run(), Reason::Halted);
        EXPECT_EQ(program.raised(), std::nullopt);
        EXPECT_EQ(program.state.dr[6], dr6AtReset);
    }
};

TEST_F(DebugExceptionsTest, InstructionBreakpointsFaultBeforeTheInstruction)
{
    program.code({ 0x43, 0x43, 0x43 });
    setBreakpoint(1, code + 2, 0);
    expectTrap(1 << 1, code + 2);
    EXPECT_EQ(program.reg(Ebx), 2u);
    EXPECT_FALSE(program.pushed(2) & eflags::resume) << "the breakpoint's own fault pushes RF as it was";
}

TEST_F(DebugExceptionsTest, ResumeFlagPassesTheBreakpointOnce)
{
    // Vector 1: or dword [esp+8],10000h (RF); inc ecx; iretd
    program.store(debugHandler, { 0x81, 0x4c, 0x24, 0x08, 0, 0, 1, 0, 0x41, 0xcf });
    program.code({ 0x43, 0x43, 0x83, 0xfb, 0x06, 0x72, 0xf9 }); // l: inc ebx (twice); cmp ebx,6; jb l
    setBreakpoint(0, code + 1, 0);
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), std::nullopt);
    EXPECT_EQ(program.reg(Ebx), 6u);
    EXPECT_EQ(program.reg(Ecx), 3u) << "hit in each of three rounds";
    EXPECT_FALSE(program.state.eflags & eflags::resume);
}

TEST_F(DebugExceptionsTest, FaultsPushTheResumeFlag)
{
    program.code({ 0x0f, 0x0b });
    ASSERT_EQ(program.run(), Reason::Halted);
    ASSERT_EQ(program.raised(), 6u);
    EXPECT_TRUE(program.pushed(2) & eflags::resume);
}

TEST_F(DebugExceptionsTest, DisabledBreakpointsAreNotHit)
{
    program.code({ 0xa3, 0x00, 0x00, 0x02, 0x00, 0x43 });
    setBreakpoint(0, code + 5, 0);
    setBreakpoint(1, data, 1, 3);
    program.state.dr[7] &= ~0xffu;
    expectNoTrap();
}

TEST_F(DebugExceptionsTest, WritesTrapAfterTheInstruction)
{
    program.code({ 0xa1, 0x00, 0x00, 0x02, 0x00, 0xa3, 0x00, 0x00, 0x02, 0x00, 0x43 }); // read, write, inc ebx
    setBreakpoint(2, data, 1, 3);
    expectTrap(1 << 2, code + 10);
    EXPECT_EQ(program.reg(Ebx), 0u);
}

TEST_F(DebugExceptionsTest, AccessesTrapOnReadsToo)
{
    program.code({ 0xa1, 0x00, 0x00, 0x02, 0x00, 0x43 });
    setBreakpoint(3, data + 2, 3, 1);
    expectTrap(1 << 3, code + 5);
}

TEST_F(DebugExceptionsTest, LengthsAndNeighboursCount)
{
    program.code({ 0xa3, 0x00, 0x00, 0x02, 0x00 }); // bytes 20000h to 20003h
    setBreakpoint(0, data + 4, 1, 3);
    setBreakpoint(1, data - 4, 1, 3);
    expectNoTrap();
    program.state.eip = code;
    program.state.mpState = MpState::Running;
    program.state.dr[6] = dr6AtReset;
    setBreakpoint(2, data + 3, 1, 0);
    setBreakpoint(3, data + 1, 3, 3); // the low bits of the address do not count
    expectTrap(0b1100, code + 5);
}

TEST_F(DebugExceptionsTest, UnalignedAccessesAcrossPagesAreSeen)
{
    program.code({ 0xa3, 0xfe, 0x0f, 0x02, 0x00 }); // 20ffeh to 21001h
    setBreakpoint(0, 0x21001, 1);
    expectTrap(1, code + 5);
}

TEST_F(DebugExceptionsTest, StringsTrapAfterTheElementThatHits)
{
    program.code({ 0xf3, 0xaa }); // rep stosb
    program.reg(Edi) = data;
    program.reg(Ecx) = 100;
    setBreakpoint(0, data + 40, 1);
    expectTrap(1, code);
    EXPECT_EQ(program.reg(Ecx), 59u);
    EXPECT_EQ(program.reg(Edi), data + 41);
    EXPECT_TRUE(program.pushed(2) & eflags::resume) << "in the middle of a repetition";
}

TEST_F(DebugExceptionsTest, AFaultingInstructionHitsNothing)
{
    program.code({ 0xf7, 0x3d, 0x00, 0x00, 0x02, 0x00 }); // idiv dword [20000h], which is 0
    setBreakpoint(0, data, 3, 3);
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 0u);
    EXPECT_EQ(program.state.dr[6], dr6AtReset);
}

TEST_F(DebugExceptionsTest, PortsBreakWithDebuggingExtensions)
{
    program.code({ 0xe6, 0x42, 0x43 }); // out 42h,al
    setBreakpoint(0, 0x40, 2, 3); // 40h to 43h
    expectNoTrap();
    program.state.eip = code;
    program.state.mpState = MpState::Running;
    program.state.cr4 |= cr4::debuggingExtensions;
    expectTrap(1, code + 2);
    EXPECT_EQ(program.bus().portWrites.size(), 2u);
}

TEST_F(DebugExceptionsTest, SingleStepAndBreakpointComeTogether)
{
    program.code({ 0xa3, 0x00, 0x00, 0x02, 0x00, 0x43 });
    program.state.eflags |= eflags::trap;
    setBreakpoint(0, data, 1);
    expectTrap(1 | singleStep, code + 5);
}

TEST_F(DebugExceptionsTest, TheTrapWaitsInTheShadowOfMovSs)
{
    program.code({ 0x8e, 0x15, 0x00, 0x00, 0x02, 0x00, 0x43, 0x43 }); // mov ss,[20000h]; inc ebx (twice)
    program.write<uint16_t>(data, 16);
    program.state.eflags |= eflags::trap;
    setBreakpoint(0, data, 3, 1);
    expectTrap(1 | singleStep, code + 7);
    EXPECT_EQ(program.reg(Ebx), 1u);
}

TEST_F(DebugExceptionsTest, StiCastsNoSuchShadow)
{
    program.code({ 0xfb, 0x43 });
    program.state.eflags |= eflags::trap;
    expectTrap(singleStep, code + 1);
}

TEST_F(DebugExceptionsTest, SoftwareInterruptsAreNotTrappedButEntered)
{
    program.code({ 0xcd, 0x40 });
    program.state.eflags |= eflags::trap;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 0x40u);
    EXPECT_TRUE(program.pushed(2) & eflags::trap);
    EXPECT_EQ(program.state.dr[6], dr6AtReset);
}

TEST_F(DebugExceptionsTest, AnIntoThatDoesNothingIsTrapped)
{
    program.code({ 0xce, 0x43 });
    program.state.eflags |= eflags::trap;
    expectTrap(singleStep, code + 1);
}

TEST_F(DebugExceptionsTest, AHaltIsTrappedAndLeft)
{
    program.code({ 0xf4, 0x43 });
    program.state.eflags |= eflags::trap;
    expectTrap(singleStep, code + 1);
}

TEST_F(DebugExceptionsTest, PopfTrapsFromTheNextInstructionOn)
{
    program.code({ 0x68, 0x02, 0x01, 0x00, 0x00, 0x9d, 0x43, 0x43 }); // push 102h; popfd; inc ebx (twice)
    expectTrap(singleStep, code + 7);
    EXPECT_EQ(program.reg(Ebx), 1u);
}

TEST_F(DebugExceptionsTest, GeneralDetectProtectsTheRegisters)
{
    program.code({ 0x43, 0x0f, 0x21, 0xc0 }); // inc ebx; mov eax,dr0
    program.state.dr[7] |= 1 << 13;
    expectTrap(1 << 13, code + 1);
    EXPECT_FALSE(program.state.dr[7] & 1 << 13) << "so that the handler may look";
    EXPECT_TRUE(program.pushed(2) & eflags::resume);
}

TEST_F(DebugExceptionsTest, Int1LeavesNoReason)
{
    program.code({ 0xf1 });
    expectTrap(0, code + 1);
}

TEST_F(DebugExceptionsTest, AStackOfTheHandlerThatIsWatchedIsNoEndlessStory)
{
    program.code({ 0x50 }); // push eax
    setBreakpoint(0, GuestProgram::stackTop - 4, 1, 3);
    setBreakpoint(1, GuestProgram::stackTop - 8, 1, 3); // where the trap pushes EFLAGS
    expectTrap(1, code + 1);
}

TEST_F(DebugExceptionsTest, BreakpointsSetByTheGuestWork)
{
    // mov eax,20000h; mov dr0,eax; mov eax,000d0002h; mov dr7,eax; mov [20000h],ebx; inc ecx
    program.code({ 0xb8, 0, 0, 2, 0, 0x0f, 0x23, 0xc0, 0xb8, 0x02, 0x00, 0x0d, 0x00, 0x0f, 0x23, 0xf8, 0x89, 0x1d, 0, 0,
        2, 0, 0x41 });
    expectTrap(1, code + 22);
    EXPECT_EQ(program.reg(Ecx), 0u);
}

} // namespace namsan
