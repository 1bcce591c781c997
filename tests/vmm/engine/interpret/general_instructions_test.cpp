// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/guest_program.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

constexpr uint32_t data = GuestProgram::dataAddress;
constexpr uint32_t stackTop = GuestProgram::stackTop;

// Runs the bytes to their HLT; anything else is a failure.
void runs(GuestProgram& program, std::initializer_list<uint8_t> bytes)
{
    program.code(bytes);
    ASSERT_EQ(program.run(), VcpuExit::Reason::Halted);
    ASSERT_EQ(program.raised(), std::nullopt);
}

void raises(GuestProgram& program, unsigned vector, std::initializer_list<uint8_t> bytes)
{
    program.code(bytes);
    ASSERT_EQ(program.run(), VcpuExit::Reason::Halted);
    ASSERT_EQ(program.raised(), vector);
}

} // namespace

// -- stack ------------------------------------------------------------------------------------------------------------

TEST(GeneralInstructions, PushEspPushesItsOldValue)
{
    GuestProgram program;
    runs(program, { 0x54 });
    EXPECT_EQ(program.read<uint32_t>(stackTop - 4), stackTop);
    EXPECT_EQ(program.reg(Esp), stackTop - 4);
}

TEST(GeneralInstructions, PopEspGetsThePoppedValue)
{
    GuestProgram program;
    runs(program, { 0x68, 0x78, 0x56, 0x08, 0x00, 0x5c }); // push 85678; pop esp
    EXPECT_EQ(program.reg(Esp), 0x85678u);
}

TEST(GeneralInstructions, PopToMemoryComputesItsAddressAfterEspHasMoved)
{
    GuestProgram program;
    // push 11111111; push 22222222; pop [esp+4]: ESP is at the first one when the address is computed
    runs(program, { 0x68, 0x11, 0x11, 0x11, 0x11, 0x68, 0x22, 0x22, 0x22, 0x22, 0x8f, 0x44, 0x24, 0x04 });
    EXPECT_EQ(program.reg(Esp), stackTop - 4);
    EXPECT_EQ(program.read<uint32_t>(stackTop), 0x22222222u);
    EXPECT_EQ(program.read<uint32_t>(stackTop - 4), 0x11111111u);
}

TEST(GeneralInstructions, PopThatFaultsLeavesEsp)
{
    GuestProgram program;
    program.state.segments[Ds].limit = 0xffff;
    raises(program, 13, { 0x68, 1, 0, 0, 0, 0x8f, 0x05, 0x00, 0x00, 0x02, 0x00 }); // push 1; pop [20000]
    EXPECT_EQ(program.reg(Esp), stackTop - 4 - 16); // the exception's frame is below the word that was not popped
}

TEST(GeneralInstructions, PushaAndPopaSkipEsp)
{
    GuestProgram program;
    for (unsigned n = 0; n < 8; ++n)
        if (n != Esp)
            program.state.gpr[n] = 0x1000 + n;
    // pusha; mov dword [esp+12],0 (the pushed ESP); xor eax,eax; popa
    runs(program, { 0x60, 0xc7, 0x44, 0x24, 0x0c, 0, 0, 0, 0, 0x31, 0xc0, 0x61 });
    EXPECT_EQ(program.reg(Eax), 0x1000u);
    EXPECT_EQ(program.reg(Edi), 0x1007u);
    EXPECT_EQ(program.reg(Esp), stackTop);
    EXPECT_EQ(program.read<uint32_t>(stackTop - 4), 0x1000u);
}

TEST(GeneralInstructions, EnterCopiesTheDisplayAndLeaveUndoesIt)
{
    GuestProgram program;
    program.reg(Ebp) = data + 0x100;
    program.write<uint32_t>(data + 0x100 - 4, 0xaaaa);
    program.code({ 0xc8, 0x10, 0x00, 0x02, 0xf4, 0xc9 }); // enter 16,2; hlt; leave
    ASSERT_EQ(program.run(), VcpuExit::Reason::Halted);
    EXPECT_EQ(program.reg(Ebp), stackTop - 4);
    EXPECT_EQ(program.reg(Esp), stackTop - 12 - 16);
    EXPECT_EQ(program.read<uint32_t>(stackTop - 4), data + 0x100);
    EXPECT_EQ(program.read<uint32_t>(stackTop - 8), 0xaaaau);
    EXPECT_EQ(program.read<uint32_t>(stackTop - 12), stackTop - 4);

    program.state.mpState = MpState::Running;
    ASSERT_EQ(program.run(), VcpuExit::Reason::Halted);
    EXPECT_EQ(program.reg(Ebp), data + 0x100);
    EXPECT_EQ(program.reg(Esp), stackTop);
}

TEST(GeneralInstructions, CallAndRetWithImmediate)
{
    GuestProgram program;
    // push 1; call f; hlt; f: inc ebx; ret 4
    runs(program, { 0x6a, 0x01, 0xe8, 0x01, 0x00, 0x00, 0x00, 0xf4, 0x43, 0xc2, 0x04, 0x00 });
    EXPECT_EQ(program.reg(Ebx), 1u);
    EXPECT_EQ(program.reg(Esp), stackTop);
    EXPECT_EQ(program.state.eip, GuestProgram::codeAddress + 8);
}

TEST(GeneralInstructions, AJumpBeyondTheSegmentFaultsAtTheJump)
{
    GuestProgram program;
    program.state.segments[Cs].limit = 0xfffff;
    raises(program, 13, { 0xe9, 0x00, 0x00, 0x10, 0x00 });
    EXPECT_EQ(program.pushed(1), GuestProgram::codeAddress);
}

// -- arithmetic -------------------------------------------------------------------------------------------------------

TEST(GeneralInstructions, DivisionThatDoesNotFitRaisesDivideError)
{
    GuestProgram program;
    program.reg(Edx) = 2;
    program.reg(Ecx) = 2;
    raises(program, 0, { 0xf7, 0xf1 }); // div ecx
    EXPECT_EQ(program.reg(Edx), 2u);

    GuestProgram smallest;
    smallest.reg(Eax) = 0x80000000;
    smallest.reg(Edx) = 0xffffffff;
    smallest.reg(Ecx) = 0xffffffff;
    raises(smallest, 0, { 0xf7, 0xf9 }); // idiv ecx: 2^31 has no place

    GuestProgram lowest;
    lowest.reg(Edx) = 0x80000000;
    lowest.reg(Ecx) = 0xffffffff;
    raises(lowest, 0, { 0xf7, 0xf9 }); // -2^63 / -1 has no place even in 64 bits
}

TEST(GeneralInstructions, DividesAllWidths)
{
    GuestProgram program;
    program.reg(Eax) = 0x12345;
    program.reg(Ecx) = 0x100;
    runs(program, { 0x31, 0xd2, 0xf7, 0xf1 });
    EXPECT_EQ(program.reg(Eax), 0x123u);
    EXPECT_EQ(program.reg(Edx), 0x45u);

    GuestProgram bytes;
    bytes.reg(Eax) = 0xfff9; // -7
    bytes.reg(Ecx) = 2;
    runs(bytes, { 0xf6, 0xf9 }); // idiv cl
    EXPECT_EQ(bytes.reg(Eax), 0xfffdu); // AH: remainder -1, AL: quotient -3
}

TEST(GeneralInstructions, RepeatedXaddWithItselfLeavesTheSum)
{
    GuestProgram program;
    program.reg(Eax) = 21;
    runs(program, { 0x0f, 0xc1, 0xc0 });
    EXPECT_EQ(program.reg(Eax), 42u);
}

TEST(GeneralInstructions, Cmpxchg8bExchangesOrLoads)
{
    GuestProgram program;
    program.write<uint64_t>(data, 0x1111111122222222);
    program.reg(Esi) = data;
    program.reg(Eax) = 0x22222222;
    program.reg(Edx) = 0x11111111;
    program.reg(Ebx) = 0x44444444;
    program.reg(Ecx) = 0x33333333;
    runs(program, { 0xf0, 0x0f, 0xc7, 0x0e, 0x0f, 0x94, 0x46, 0x08, 0x0f, 0xc7, 0x0e }); // twice; setz [esi+8] between
    EXPECT_EQ(program.read<uint64_t>(data), 0x3333333344444444u);
    EXPECT_EQ(program.read<uint8_t>(data + 8), 1);
    EXPECT_EQ(program.reg(Eax), 0x44444444u);
    EXPECT_EQ(program.reg(Edx), 0x33333333u);
    EXPECT_FALSE(program.state.eflags & eflags::zero);
}

TEST(GeneralInstructions, BitTestsReachBeyondTheirOperand)
{
    GuestProgram program;
    program.reg(Esi) = data + 0x100;
    program.reg(Ecx) = 100;
    program.reg(Edx) = static_cast<uint32_t>(-33);
    runs(program, { 0x0f, 0xab, 0x0e, 0x0f, 0xab, 0x16, 0x0f, 0xba, 0x2e, 0x21 }); // bts [esi],ecx; ,edx; ,33
    EXPECT_EQ(program.read<uint32_t>(data + 0x10c), 1u << 4);
    EXPECT_EQ(program.read<uint32_t>(data + 0xf8), 1u << 31);
    EXPECT_EQ(program.read<uint32_t>(data + 0x100), 1u << 1);
}

TEST(GeneralInstructions, BoundChecksBothEnds)
{
    for (const auto& [index, fits] :
        { std::pair { 5, true }, { 9, true }, { 4, false }, { 10, false }, { -1, false } }) {
        GuestProgram program;
        program.write<uint32_t>(data, 5).write<uint32_t>(data + 4, 9);
        program.reg(Esi) = data;
        program.reg(Ecx) = static_cast<uint32_t>(index);
        program.code({ 0x62, 0x0e });
        ASSERT_EQ(program.run(), VcpuExit::Reason::Halted);
        EXPECT_EQ(program.raised(), fits ? std::nullopt : std::optional<unsigned>(5)) << index;
    }
}

TEST(GeneralInstructions, ByteRegistersAreTheHalvesOfWords)
{
    GuestProgram program;
    program.reg(Eax) = 0x11223344;
    runs(program, { 0x86, 0xc4, 0x88, 0xe1, 0x88, 0xc5 }); // xchg ah,al; mov cl,ah; mov ch,al
    EXPECT_EQ(program.reg(Eax), 0x11224433u);
    EXPECT_EQ(program.reg(Ecx), 0x3344u);
}

TEST(GeneralInstructions, AShiftByZeroKeepsEveryFlag)
{
    GuestProgram program;
    program.reg(Ecx) = 32;
    program.reg(Ebx) = 1;
    program.state.eflags |= eflags::arithmetic;
    runs(program, { 0xd3, 0xe3, 0xd3, 0xd3, 0x0f, 0xa5, 0xc3 }); // shl ebx,cl; rcl ebx,cl; shld ebx,eax,cl
    EXPECT_EQ(program.reg(Ebx), 1u);
    EXPECT_EQ(program.state.eflags & eflags::arithmetic, eflags::arithmetic);
}

TEST(GeneralInstructions, IncAndDecKeepTheCarry)
{
    GuestProgram program;
    program.reg(Ebx) = 0xffffffff;
    runs(program, { 0xf9, 0x43 }); // stc; inc ebx
    EXPECT_TRUE(program.state.eflags & eflags::carry);
    EXPECT_TRUE(program.state.eflags & eflags::zero);
}

TEST(GeneralInstructions, LeaWrapsAtItsAddressSize)
{
    GuestProgram program;
    program.reg(Ebx) = 0xffff;
    program.reg(Ecx) = 0x77770000;
    runs(program, { 0x67, 0x8d, 0x4f, 0x02, 0x66, 0x8d, 0x53, 0x03 }); // lea ecx,[bx+2]; lea dx,[ebx+3]
    EXPECT_EQ(program.reg(Ecx), 1u);
    EXPECT_EQ(program.reg(Edx), 2u);
}

// -- decimal adjustment: every AL with every CF and AF, against the manual's pseudocode in its own words
// ----------------

namespace {

struct Adjusted {
    uint8_t al;
    bool carry;
    bool auxiliary;
};

Adjusted adjustAfterAddition(uint8_t al, bool carry, bool auxiliary)
{
    const uint8_t oldAl = al;
    const bool oldCarry = carry;
    carry = false;
    if ((al & 15) > 9 || auxiliary) {
        carry = oldCarry || al + 6 > 0xff;
        al = static_cast<uint8_t>(al + 6);
        auxiliary = true;
    } else {
        auxiliary = false;
    }
    if (oldAl > 0x99 || oldCarry) {
        al = static_cast<uint8_t>(al + 0x60);
        carry = true;
    }
    return { al, carry, auxiliary };
}

Adjusted adjustAfterSubtraction(uint8_t al, bool carry, bool auxiliary)
{
    const uint8_t oldAl = al;
    const bool oldCarry = carry;
    carry = false;
    if ((al & 15) > 9 || auxiliary) {
        carry = oldCarry || al < 6;
        al = static_cast<uint8_t>(al - 6);
        auxiliary = true;
    } else {
        auxiliary = false;
    }
    if (oldAl > 0x99 || oldCarry) {
        al = static_cast<uint8_t>(al - 0x60);
        carry = true;
    }
    return { al, carry, auxiliary };
}

void comparesDecimalAdjustment(uint8_t opcode, Adjusted (*expected)(uint8_t, bool, bool))
{
    GuestProgram program;
    program.code({ opcode });
    for (unsigned n = 0; n < 1024; ++n) {
        const auto al = static_cast<uint8_t>(n);
        const bool carry = n & 256;
        const bool auxiliary = n & 512;
        program.reg(Eax) = al;
        program.state.eip = GuestProgram::codeAddress;
        program.state.mpState = MpState::Running;
        program.state.eflags = eflags::alwaysOne | (carry ? eflags::carry : 0) | (auxiliary ? eflags::auxiliary : 0);
        ASSERT_EQ(program.run(), VcpuExit::Reason::Halted);
        const Adjusted result = expected(al, carry, auxiliary);
        EXPECT_EQ(program.reg(Eax), result.al) << n;
        EXPECT_EQ(static_cast<bool>(program.state.eflags & eflags::carry), result.carry) << n;
        EXPECT_EQ(static_cast<bool>(program.state.eflags & eflags::auxiliary), result.auxiliary) << n;
        EXPECT_EQ(static_cast<bool>(program.state.eflags & eflags::zero), result.al == 0) << n;
        EXPECT_EQ(static_cast<bool>(program.state.eflags & eflags::sign), result.al > 127) << n;
    }
}

} // namespace

TEST(GeneralInstructions, DaaFollowsTheManual)
{
    comparesDecimalAdjustment(0x27, adjustAfterAddition);
}

TEST(GeneralInstructions, DasFollowsTheManual)
{
    comparesDecimalAdjustment(0x2f, adjustAfterSubtraction);
}

TEST(GeneralInstructions, UnpackedAdjustments)
{
    GuestProgram program;
    program.reg(Eax) = 0x01ff;
    runs(program, { 0x37 }); // aaa
    EXPECT_EQ(program.reg(Eax), 0x0305u);

    GuestProgram aam;
    aam.reg(Eax) = 57;
    runs(aam, { 0xd4, 0x0a, 0x89, 0xc3, 0xd5, 0x0a }); // aam; mov ebx,eax; aad
    EXPECT_EQ(aam.reg(Ebx), 0x0507u);
    EXPECT_EQ(aam.reg(Eax), 57u);

    GuestProgram byZero;
    raises(byZero, 0, { 0xd4, 0x00 });
}

// -- strings ----------------------------------------------------------------------------------------------------------

TEST(GeneralInstructions, OverlappingMovsRepeatsAPattern)
{
    GuestProgram program;
    program.write<uint16_t>(data, 0xbbaa);
    program.reg(Esi) = data;
    program.reg(Edi) = data + 2;
    program.reg(Ecx) = 10000;
    runs(program, { 0xf3, 0xa4 });
    for (uint32_t n = 0; n < 10002; ++n)
        ASSERT_EQ(program.read<uint8_t>(data + n), n % 2 ? 0xbb : 0xaa) << n;
}

TEST(GeneralInstructions, StringsGoDownwards)
{
    GuestProgram program;
    for (uint32_t n = 0; n < 8; ++n)
        program.write<uint16_t>(data + 2 * n, static_cast<uint16_t>(n + 1));
    program.reg(Esi) = data + 14;
    program.reg(Edi) = data + 0x10e;
    program.reg(Ecx) = 8;
    runs(program, { 0xfd, 0x66, 0xf3, 0xa5, 0xfc }); // std; rep movsw; cld
    EXPECT_EQ(program.reg(Esi), data - 2);
    EXPECT_EQ(program.reg(Edi), data + 0xfe);
    for (uint32_t n = 0; n < 8; ++n)
        EXPECT_EQ(program.read<uint16_t>(data + 0x100 + 2 * n), n + 1);
}

TEST(GeneralInstructions, ScasFindsAByteBeyondAPage)
{
    GuestProgram program;
    program.write<uint8_t>(data + 5000, 0x77);
    program.reg(Eax) = 0x77;
    program.reg(Edi) = data + 1;
    program.reg(Ecx) = 100000;
    runs(program, { 0xf2, 0xae }); // repne scasb
    EXPECT_EQ(program.reg(Edi), data + 5001);
    EXPECT_EQ(program.reg(Ecx), 100000u - 5000);
    EXPECT_TRUE(program.state.eflags & eflags::zero);
}

TEST(GeneralInstructions, CmpsStopsAtTheFirstDifference)
{
    GuestProgram program;
    program.write<uint32_t>(data + 0x2000 + 40, 5);
    program.reg(Esi) = data;
    program.reg(Edi) = data + 0x2000;
    program.reg(Ecx) = 100;
    runs(program, { 0xf3, 0xa7 }); // repe cmpsd
    EXPECT_EQ(program.reg(Ecx), 89u);
    EXPECT_EQ(program.reg(Esi), data + 44);
    EXPECT_FALSE(program.state.eflags & eflags::zero);
    EXPECT_TRUE(program.state.eflags & eflags::carry); // 0 - 5
}

TEST(GeneralInstructions, RepeatedZeroTimesNothingChanges)
{
    GuestProgram program;
    program.state.eflags |= eflags::arithmetic;
    program.reg(Edi) = data;
    runs(program, { 0xf3, 0xa6, 0xf3, 0xaa });
    EXPECT_EQ(program.state.eflags & eflags::arithmetic, eflags::arithmetic);
    EXPECT_EQ(program.reg(Edi), data);
}

TEST(GeneralInstructions, SixteenBitStringsWrapInTheirSegment)
{
    GuestProgram program(GuestProgram::Mode::Real16);
    program.reg(Edi) = 0x5555fffe;
    program.reg(Ecx) = 0x66660004;
    program.reg(Eax) = 0x99;
    runs(program, { 0xf3, 0xaa }); // rep stosb
    EXPECT_EQ(program.reg(Edi), 0x55550002u);
    EXPECT_EQ(program.reg(Ecx), 0x66660000u);
    EXPECT_EQ(program.read<uint8_t>(data + 0xffff), 0x99);
    EXPECT_EQ(program.read<uint8_t>(data + 1), 0x99);
    EXPECT_EQ(program.read<uint8_t>(data + 2), 0);
    EXPECT_EQ(program.read<uint8_t>(data + 0x10000), 0);
}

TEST(GeneralInstructions, AFaultInTheMiddleOfARepetitionLeavesTheCountersExact)
{
    GuestProgram program;
    program.state.segments[Es].limit = data + 9;
    program.reg(Edi) = data;
    program.reg(Ecx) = 100;
    raises(program, 13, { 0xf3, 0xaa });
    EXPECT_EQ(program.reg(Ecx), 90u);
    EXPECT_EQ(program.reg(Edi), data + 10);
    EXPECT_EQ(program.pushed(1), GuestProgram::codeAddress);
}

} // namespace namsan
