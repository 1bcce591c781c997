// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/assembler.h"

#include <Zydis/Zydis.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace namsan {

// What the Assembler encodes itself, as Xbyak encodes it.
class AssemblerTest : public ::testing::Test {
protected:
    static std::string textOf(const Assembler& assembler)
    {
        std::string text;
        ZydisDisassembledInstruction instruction;
        const uint8_t* end = assembler.getCurr();
        for (const uint8_t* at = assembler.getCode(); at < end; at += instruction.info.length) {
            if (!ZYAN_SUCCESS(ZydisDisassembleIntel(
                    ZYDIS_MACHINE_MODE_LONG_64, 0, at, static_cast<ZyanUSize>(end - at), &instruction)))
                return text + "(no instruction)";
            text += instruction.text;
            text += '\n';
        }
        return text;
    }

    std::vector<uint8_t> memory = std::vector<uint8_t>(1 << 20);
    Assembler own { memory.size() / 2, memory.data() };
    Assembler xbyak { memory.size() / 2, memory.data() + memory.size() / 2 };
};

TEST_F(AssemblerTest, EncodesEveryPlaceOfADoubleword)
{
    constexpr std::array<int32_t, 6> displacements { 0, 1, -128, 127, 128, -0x12345678 };
    constexpr uint8_t none = Assembler::Place::none;
    constexpr std::array<uint8_t, 9> bases { 0, 3, 4, 5, 8, 12, 13, 15, none };
    constexpr std::array<uint8_t, 6> indices { 0, 5, 8, 12, 13, none };
    for (const uint8_t base : bases)
        for (const uint8_t index : indices)
            for (uint8_t scale = 0; scale < (index == none ? 1 : 4); ++scale)
                for (const int32_t displacement : displacements) {
                    Xbyak::RegExp expression(static_cast<size_t>(static_cast<int64_t>(displacement)));
                    if (index != none)
                        expression = Xbyak::Reg64(index) * (1 << scale) + expression;
                    if (base != none)
                        expression = Xbyak::Reg64(base) + expression;
                    const Assembler::Place place { base, index, scale, displacement };
                    own.loadAddress(Xbyak::Reg32(9), place);
                    xbyak.lea(Xbyak::Reg32(9), xbyak.ptr[expression]);
                    own.load(Xbyak::Reg32(5), place);
                    xbyak.mov(Xbyak::Reg32(5), xbyak.dword[expression]);
                    own.store(place, Xbyak::Reg32(12));
                    xbyak.mov(xbyak.dword[expression], Xbyak::Reg32(12));
                    own.store(place, 0x87654321);
                    xbyak.mov(xbyak.dword[expression], 0x87654321);
                    own.encodeWide(0x3b, Xbyak::Reg64(10), place);
                    xbyak.cmp(Xbyak::Reg64(10), xbyak.qword[expression]);
                    own.jumpThrough(place);
                    xbyak.jmp(xbyak.qword[expression]);
                    ASSERT_EQ(textOf(own), textOf(xbyak));
                    own.reset();
                    xbyak.reset();
                }
}

TEST_F(AssemblerTest, EncodesEveryRegister)
{
    for (int to = 0; to < 16; ++to) {
        own.move(Xbyak::Reg32(to), 0x89abcdef);
        xbyak.mov(Xbyak::Reg32(to), 0x89abcdef);
        own.moveWide(Xbyak::Reg64(to), 0x123456789abcdef0);
        xbyak.mov(Xbyak::Reg64(to), 0x123456789abcdef0);
        for (int from = 0; from < 16; ++from) {
            own.move(Xbyak::Reg32(to), Xbyak::Reg32(from));
            xbyak.mov(Xbyak::Reg32(to), Xbyak::Reg32(from));
        }
    }
    EXPECT_EQ(textOf(own), textOf(xbyak));
}

TEST_F(AssemblerTest, JumpsForwardAndBackToALabel)
{
    JumpLabel label;
    own.put(0x90, 1); // offset 0 cannot hold a distance
    own.jumpIf(Condition::NotEqual, label);
    own.jumpTo(label);
    own.jumpIf(Condition::Below, label);
    own.bind(label);
    own.jumpTo(label);
    own.jumpIf(Condition::Above, label);
    Xbyak::Label there;
    xbyak.nop();
    xbyak.jne(there, Xbyak::CodeGenerator::T_NEAR);
    xbyak.jmp(there, Xbyak::CodeGenerator::T_NEAR);
    xbyak.jb(there, Xbyak::CodeGenerator::T_NEAR);
    xbyak.L(there);
    xbyak.db(0xe9); // Xbyak would take the short form
    xbyak.dd(static_cast<uint32_t>(-5));
    xbyak.db(0x0f);
    xbyak.db(0x87);
    xbyak.dd(static_cast<uint32_t>(-11));
    EXPECT_EQ(textOf(own), textOf(xbyak));
}

TEST_F(AssemblerTest, FillsToAnAlignmentWithBreakpoints)
{
    for (const size_t before : { 1u, 7u, 8u, 15u, 16u }) {
        own.setSize(before);
        own.fillTo(16);
        EXPECT_EQ(own.getSize(), 16u);
        for (size_t n = before; n < 16; ++n)
            EXPECT_EQ(memory[n], 0xcc);
    }
}

} // namespace namsan
