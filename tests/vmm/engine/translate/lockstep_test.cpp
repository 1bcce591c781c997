// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/lockstep.h"

#include "tests/vmm/engine/translate/translator_bench.h"
#include "vmm/engine/translate/memory_form_choice.h"

#include <gtest/gtest.h>

namespace namsan {

// By the memory form: flat where the host has it.
class LockstepTest : public ::testing::TestWithParam<bool> {
protected:
    LockstepTest()
    {
        bench.interpreter.setAccelerator(lockstep.get());
        // mov ecx, 500; mov ebx, data; l: add [ebx], ecx; push ecx; adc eax, [ebx]; pop edx; loop l; hlt
        bench.load(TranslatorBench::code,
            { 0xb9, 0xf4, 0x01, 0, 0, 0xbb, 0x00, 0x00, 0x20, 0x00, 0x01, 0x0b, 0x51, 0x13, 0x03, 0x5a, 0xe2, 0xf8,
                0xf4 });
    }

    static TranslatorOptions options()
    {
        TranslatorOptions options = TranslatorBench::eager();
        options.flat = GetParam() && chooseMemoryForm(MemoryFormWish::Best).flat;
        return options;
    }

    TranslatorBench bench;
    std::unique_ptr<Lockstep> lockstep = std::move(
        *Lockstep::create(bench.cpu, *bench.memory, bench.codeCache, bench.decoder, bench.attention, options()));
};

TEST_P(LockstepTest, FindsTheFlagsOfAFaultExactWhereThatIsAskedFor)
{
    TranslatorOptions exactly = options();
    exactly.exactFlags = true;
    auto exact = std::move(
        *Lockstep::create(bench.cpu, *bench.memory, bench.codeCache, bench.decoder, bench.attention, exactly));
    bench.interpreter.setAccelerator(exact.get());
    bench.enablePaging();
    bench.setPage(TranslatorBench::data + 0x1000, 0);
    // mov eax, 7fffffff; add eax, 1; mov ecx, [data + 1000]; add eax, eax; hlt
    bench.load(TranslatorBench::code,
        { 0xb8, 0xff, 0xff, 0xff, 0x7f, 0x83, 0xc0, 0x01, 0x8b, 0x0d, 0x00, 0x10, 0x20, 0x00, 0x01, 0xc0, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(exact->difference(), "");
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(14) + 1);
    EXPECT_TRUE(bench.get32(bench.cpu.gpr[Esp] + 12) & eflags::overflow);
    bench.interpreter.setAccelerator(nullptr);
}

TEST_P(LockstepTest, FindsNothingInARightProgramAndRunsItOnce)
{
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(lockstep->difference(), "");
    EXPECT_GE(lockstep->comparedInstructions(), 2400u);
    EXPECT_EQ(bench.get32(TranslatorBench::data), 500u * 501 / 2);
    EXPECT_EQ(bench.cpu.gpr[Esp], TranslatorBench::stack);
}

// The unit leaves the repetition in its middle; the rest is an instruction of the interpreter's.
TEST_P(LockstepTest, FollowsARepetitionOverAPageEnd)
{
    bench.enablePaging();
    const std::vector<uint8_t> letters(0x20, 'a');
    bench.load(TranslatorBench::data + 0xff0, letters);
    bench.put<uint8_t>(TranslatorBench::data + 0x1010, 0);
    // mov edi, data + ffb; mov ecx, -1; mov eax, [edi]; xor eax, eax; repne scasb; not ecx; hlt
    bench.load(TranslatorBench::code,
        { 0xbf, 0xfb, 0x0f, 0x20, 0x00, 0xb9, 0xff, 0xff, 0xff, 0xff, 0x8b, 0x07, 0x31, 0xc0, 0xf2, 0xae, 0xf7, 0xd1,
            0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(lockstep->difference(), "");
    EXPECT_EQ(bench.cpu.gpr[Ecx], 0x16u);
    EXPECT_EQ(bench.cpu.gpr[Edi], TranslatorBench::data + 0x1011);
}

INSTANTIATE_TEST_SUITE_P(Forms, LockstepTest, ::testing::Bool());

} // namespace namsan
