// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include <gtest/gtest.h>

namespace namsan {

class TranslatedFlags : public ::testing::Test {
protected:
    TranslatorBench bench { TranslatorBench::eager() };
};

TEST_F(TranslatedFlags, ArePushedAsTheyAre)
{
    // mov eax, 7fffffff; add eax, 1; pushf; pop ecx; xor eax, eax; pushf; pop edx; hlt
    bench.load(TranslatorBench::code,
        { 0xb8, 0xff, 0xff, 0xff, 0x7f, 0x83, 0xc0, 0x01, 0x9c, 0x59, 0x31, 0xc0, 0x9c, 0x5a, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    using namespace eflags;
    EXPECT_EQ(bench.cpu.gpr[Ecx], alwaysOne | overflow | sign | auxiliary | parity);
    EXPECT_EQ(bench.cpu.gpr[Edx] & ~auxiliary, alwaysOne | zero | parity);
    EXPECT_EQ(bench.counters.leavesAfterHandler.value(), 1u); // HLT
}

TEST_F(TranslatedFlags, ArePoppedWithoutLeaving)
{
    // push 0x202; popf; cli; pushf; push 0x8d7 (all arithmetic flags); popf; setc cl; seto ch; pop eax; hlt
    bench.load(TranslatorBench::code,
        { 0x68, 0x02, 0x02, 0, 0, 0x9d, 0xfa, 0x9c, 0x68, 0xd7, 0x08, 0, 0, 0x9d, 0x0f, 0x92, 0xc1, 0x0f, 0x90, 0xc5,
            0x58, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Ecx], 0x0101u);
    EXPECT_FALSE(bench.cpu.gpr[Eax] & eflags::interruptEnable);
    EXPECT_TRUE(bench.cpu.eflags() & eflags::carry);
    EXPECT_EQ(bench.counters.leavesAfterHandler.value(), 1u);
}

TEST_F(TranslatedFlags, LetTheWaitingInterruptInAtOnce)
{
    bench.attention.raise(Attention::InterruptRequest);
    // push 0x202; popf; inc eax; hlt
    bench.load(TranslatorBench::code, { 0x68, 0x02, 0x02, 0, 0, 0x9d, 0x40, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(32) + 1);
    EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp]), TranslatorBench::code + 6);
    EXPECT_EQ(bench.cpu.gpr[Eax], 0u);
}

// As while Linux unpacks itself. The request is noticed once, and then when IF is set.
TEST_F(TranslatedFlags, RunTranslatedWhileAnInterruptWaitsForThem)
{
    bench.attention.raise(Attention::InterruptRequest);
    // mov ecx, 10000; l: pushf; popf; dec ecx; jnz l; push 0x202; popf; inc eax; hlt
    bench.load(TranslatorBench::code,
        { 0xb9, 0x10, 0x27, 0, 0, 0x9c, 0x9d, 0x49, 0x75, 0xfb, 0x68, 0x02, 0x02, 0, 0, 0x9d, 0x40, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(32) + 1);
    EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp]), TranslatorBench::code + 16);
    EXPECT_EQ(bench.cpu.gpr[Ecx], 0u);
    EXPECT_EQ(bench.cpu.gpr[Eax], 0u);
    EXPECT_LE(bench.counters.leavesForAttention.value(), 1u);
    EXPECT_LE(bench.counters.leavesAfterHandler.value(), 2u); // POPF and the handler's HLT
}

TEST_F(TranslatedFlags, LetTheWaitingInterruptInAfterTheInstructionThatFollowsSti)
{
    bench.attention.raise(Attention::InterruptRequest);
    // mov ecx, 10; l: dec ecx; jnz l; sti; inc eax; inc eax; hlt
    bench.load(TranslatorBench::code, { 0xb9, 10, 0, 0, 0, 0x49, 0x75, 0xfd, 0xfb, 0x40, 0x40, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(32) + 1);
    EXPECT_EQ(bench.cpu.gpr[Eax], 1u);
}

TEST_F(TranslatedFlags, ForgetARequestThatIsTakenBack)
{
    bench.attention.raise(Attention::InterruptRequest);
    // mov ecx, 10; l: dec ecx; jnz l; hlt
    bench.load(TranslatorBench::code, { 0xb9, 10, 0, 0, 0, 0x49, 0x75, 0xfd, 0xf4, 0xfb, 0x40, 0x40, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    bench.attention.clear(Attention::InterruptRequest);
    EXPECT_EQ(bench.runFrom(TranslatorBench::code + 9), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], 2u);
}

TEST_F(TranslatedFlags, BelongToTheInterpreterWhereTheyChangeTheRules)
{
    // push 0x302 (TF); popf; nop; nop
    bench.load(TranslatorBench::code, { 0x68, 0x02, 0x03, 0, 0, 0x9d, 0x90, 0x90, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(1) + 1);
    EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp]), TranslatorBench::code + 7);
}

TEST_F(TranslatedFlags, CannotBeClearedByUsers)
{
    bench.enablePaging();
    bench.cpu.otherFlags |= eflags::interruptEnable;
    bench.enterLevel3();
    bench.cpu.gpr[Esp] = TranslatorBench::stack;
    // push 2; popf; pushf; pop eax; cli
    bench.load(TranslatorBench::code, { 0x6a, 0x02, 0x9d, 0x9c, 0x58, 0xfa, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(13) + 1);
    EXPECT_TRUE(bench.cpu.gpr[Eax] & eflags::interruptEnable);
}

} // namespace namsan
