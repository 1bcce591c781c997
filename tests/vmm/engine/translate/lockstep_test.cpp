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

TEST_P(LockstepTest, FindsNothingInARightProgramAndRunsItOnce)
{
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(lockstep->difference(), "");
    EXPECT_GE(lockstep->comparedInstructions(), 2400u);
    EXPECT_EQ(bench.get32(TranslatorBench::data), 500u * 501 / 2);
    EXPECT_EQ(bench.cpu.gpr[Esp], TranslatorBench::stack);
}

INSTANTIATE_TEST_SUITE_P(Forms, LockstepTest, ::testing::Bool());

} // namespace namsan
