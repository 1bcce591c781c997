// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/guest_program.h"

#include <gtest/gtest.h>

namespace namsan {

// Intel SDM volume 3, chapter 21.1: code at 1000:0000, data at 2000:0000, stack at 8000:FFF0.
class RealModeTest : public ::testing::Test {
protected:
    using Reason = VcpuExit::Reason;
    static constexpr uint32_t data = GuestProgram::dataAddress;
    static constexpr uint32_t stack = 0x80000;

    GuestProgram program { GuestProgram::Mode::Real16 };

    void expectHalt()
    {
        EXPECT_EQ(program.run(), Reason::Halted);
        EXPECT_EQ(program.raised(), std::nullopt);
    }
    void expectRaised(unsigned vector, uint16_t ip)
    {
        EXPECT_EQ(program.run(), Reason::Halted);
        EXPECT_EQ(program.raised(), vector);
        EXPECT_EQ(program.pushed(0), ip);
        EXPECT_EQ(program.pushed(1), GuestProgram::codeAddress >> 4);
        EXPECT_EQ(program.reg(Esp), 0xfff0u - 6) << "no error code";
    }
};

TEST_F(RealModeTest, SixteenBitAddressesWrap)
{
    program.code({ 0x8a, 0x40, 0x10, 0x8a, 0x67, 0xf0 }); // mov al,[bx+si+10h]; mov ah,[bx-10h]
    program.reg(Ebx) = 0x12340008;
    program.reg(Esi) = 0xfff0;
    program.write<uint8_t>(data + 8, 0x11);
    program.write<uint8_t>(data + 0xfff8, 0x22);
    expectHalt();
    EXPECT_EQ(program.reg(Eax) & 0xffff, 0x2211u);
}

TEST_F(RealModeTest, AWordOverTheSegmentsEndFaults)
{
    program.code({ 0x90, 0xa1, 0xff, 0xff }); // mov ax,[0ffffh]
    expectRaised(13, 1);
}

TEST_F(RealModeTest, ThirtyTwoBitAddressesBeyondTheLimitFault)
{
    program.code({ 0x67, 0x8a, 0x03 }); // mov al,[ebx]
    program.reg(Ebx) = 0x10000;
    expectRaised(13, 0);
}

TEST_F(RealModeTest, AStackOperandOverTheEndIsAStackFault)
{
    program.code({ 0x8b, 0x46, 0x00 }); // mov ax,[bp]
    program.reg(Ebp) = 0xffff;
    expectRaised(12, 0);
}

TEST_F(RealModeTest, TheStackWrapsBetweenWordsAndNotWithin)
{
    program.code({ 0x50 }); // push ax
    program.reg(Eax) = 0x4321;
    program.reg(Esp) = 0xabcd0000;
    expectHalt();
    EXPECT_EQ(program.reg(Esp), 0xabcdfffeu);
    EXPECT_EQ(program.read<uint16_t>(stack + 0xfffe), 0x4321);

    program.state.eip = 0;
    program.state.mpState = MpState::Running;
    program.reg(Esp) = 1; // the fault cannot be delivered either: shutdown
    EXPECT_EQ(program.run(), Reason::TripleFault);
}

TEST_F(RealModeTest, PushaThatWouldWrapWithinAWordFaults)
{
    program.code({ 0x60 }); // pusha
    program.reg(Esp) = 9;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 13u);
    EXPECT_EQ(program.reg(Esp), 3u) << "IP, CS and FLAGS have room";
    EXPECT_EQ(program.pushed(0), 0u);
}

TEST_F(RealModeTest, RelativeJumpsWrapAtSixtyFourKilobytes)
{
    program.code({ 0xe9, 0xed, 0xff }); // jmp 0fff0h
    program.store(0x10000 + 0xfff0, { 0xe9, 0x0d, 0x01 }); // jmp 100h
    program.store(0x10000 + 0x100, { 0xe8, 0xfc, 0xfe }); // call 0ffffh, the segment's last byte
    program.store(0x10000 + 0xffff, { 0xf4 });
    expectHalt();
    EXPECT_EQ(program.state.eip, 0x10000u);
    EXPECT_EQ(program.read<uint16_t>(stack + 0xffee), 0x103);
}

TEST_F(RealModeTest, RunningOverTheEndOfTheSegmentFaults)
{
    program.store(0x10000 + 0xffff, { 0x43 }); // inc bx
    program.state.eip = 0xffff;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 13u);
    EXPECT_EQ(program.reg(Ebx), 1u);
    EXPECT_EQ(program.pushed(0), 0u) << "of 10000h the low half";

    GuestProgram crossing(GuestProgram::Mode::Real16);
    crossing.store(0x10000 + 0xfffe, { 0xb8, 0x34, 0x12 }); // mov ax,1234h
    crossing.state.eip = 0xfffe;
    EXPECT_EQ(crossing.run(), Reason::Halted);
    EXPECT_EQ(crossing.raised(), 13u);
    EXPECT_EQ(crossing.pushed(0), 0xfffeu);
}

TEST_F(RealModeTest, StringsWrapTheirIndices)
{
    program.code({ 0xf3, 0xa4 }); // rep movsb
    program.reg(Esi) = 0x5555fffe;
    program.reg(Edi) = 0x77770100;
    program.reg(Ecx) = 0x99990004;
    program.write<uint16_t>(data + 0xfffe, 0x2211);
    program.write<uint16_t>(data, 0x4433);
    expectHalt();
    EXPECT_EQ(program.read<uint32_t>(data + 0x100), 0x44332211u);
    EXPECT_EQ(program.reg(Esi), 0x55550002u);
    EXPECT_EQ(program.reg(Edi), 0x77770104u);
    EXPECT_EQ(program.reg(Ecx), 0x99990000u);
}

TEST_F(RealModeTest, AStringThatMeetsTheEndKeepsWhatIsDone)
{
    program.code({ 0xf3, 0xa5 }); // rep movsw
    program.reg(Esi) = 0xfffb;
    program.reg(Edi) = 0x100;
    program.reg(Ecx) = 5;
    expectRaised(13, 0);
    EXPECT_EQ(program.reg(Ecx), 3u);
    EXPECT_EQ(program.reg(Esi), 0xffffu);
    EXPECT_EQ(program.reg(Edi), 0x104u);
}

TEST_F(RealModeTest, LoopsCountCx)
{
    program.code({ 0x43, 0xe2, 0xfd }); // l: inc bx; loop l
    program.reg(Ecx) = 0x70000;
    expectHalt();
    EXPECT_EQ(program.reg(Ebx), 0u) << "65536 rounds";
    EXPECT_EQ(program.reg(Ecx), 0x70000u);
}

TEST_F(RealModeTest, FlagsAreAllThere)
{
    program.code({ 0x68, 0xd7, 0x7e, 0x9d, 0x9c, 0x66, 0x9c }); // push 7ed7h; popf; pushf; pushfd
    expectHalt();
    EXPECT_EQ(program.read<uint16_t>(stack + 0xffee), 0x7ed7) << "IOPL and NT, too";
    EXPECT_EQ(program.read<uint32_t>(stack + 0xffea), 0x7ed7u);
}

TEST_F(RealModeTest, InterruptsNeedTheirVectorInTheTable)
{
    program.code({ 0xcd, 0x80 });
    program.state.idtr.limit = 4 * 0x80 + 2; // one byte short
    expectRaised(13, 0);
    EXPECT_TRUE(program.pushed(2) & eflags::alwaysOne);
}

TEST_F(RealModeTest, InterruptReturnsOfThirtyTwoBits)
{
    program.code({ 0x66, 0xcf }); // iretd
    program.reg(Esp) = 0x1000;
    program.write<uint32_t>(stack + 0x1000, 0x40);
    program.write<uint32_t>(stack + 0x1004, 0x1234'1000); // the upper half is nobody's
    program.write<uint32_t>(stack + 0x1008, 0xffffffff & ~eflags::trap);
    program.store(0x10040, { 0xf4 });
    expectHalt();
    EXPECT_EQ(program.state.eip, 0x41u);
    EXPECT_EQ(program.state.segments[Cs].base, 0x10000u);
    EXPECT_EQ(program.reg(Esp), 0x100cu);
    // VM, VIF and VIP are not taken; RF was, and ended with the next instruction.
    EXPECT_EQ(program.state.eflags, 0x00247ed7u | eflags::interruptEnable);
}

TEST_F(RealModeTest, ThereIsNoProtection)
{
    for (const auto& bytes : std::initializer_list<std::initializer_list<uint8_t>> {
             { 0x0f, 0x00, 0xc0 }, { 0x0f, 0x00, 0xd8 }, { 0x0f, 0x02, 0xc0 }, { 0x63, 0xc0 } }) {
        GuestProgram other(GuestProgram::Mode::Real16);
        other.code(bytes); // sldt ax; ltr ax; lar ax,ax; arpl ax,ax
        EXPECT_EQ(other.run(), Reason::Halted);
        EXPECT_EQ(other.raised(), 6u);
    }
}

TEST_F(RealModeTest, LimitsFromProtectedModeStay)
{
    program.code({ 0x67, 0x66, 0xa3, 0x00, 0x00, 0x10, 0x00 }); // mov [100000h],eax: "unreal" mode
    program.state.segments[Ds].limit = 0xffffffff;
    program.reg(Eax) = 0x600df00d;
    expectHalt();
    EXPECT_EQ(program.read<uint32_t>(data + 0x100000), 0x600df00du);
}

} // namespace namsan
