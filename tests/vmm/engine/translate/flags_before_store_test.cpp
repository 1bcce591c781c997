// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/translate/memory_form_choice.h"

#include <gtest/gtest.h>

namespace namsan {

// A store replaces CMP, which would have overwritten the flags of an ADD before it, by PUSHF, which asks for them.
class FlagsBeforeStore : public ::testing::TestWithParam<bool> {
protected:
    static TranslatorOptions options()
    {
        TranslatorOptions options = TranslatorBench::eager();
        options.flat = GetParam() && chooseMemoryForm(MemoryFormWish::Best).flat;
        return options;
    }

    static void expectFlagsOfTheAddition(std::initializer_list<uint8_t> program)
    {
        TranslatorBench interpreted;
        TranslatorBench translated(options());
        for (TranslatorBench* bench : { &interpreted, &translated }) {
            bench->load(TranslatorBench::code, program);
            EXPECT_EQ(bench->runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
        }
        EXPECT_TRUE(interpreted.cpu.gpr[Ebx] & eflags::overflow);
        EXPECT_EQ(translated.cpu.gpr[Ebx], interpreted.cpu.gpr[Ebx]);
        EXPECT_GE(translated.counters.unitsTranslated.value(), 1u);
    }
};

TEST_P(FlagsBeforeStore, AreKeptInTheUnit)
{
    // mov eax, 7fffffff; add eax, 1; mov dword [code + 18], (pushf; pop ebx; nop; nop); (at 18:) cmp eax, eax; nop;
    // nop; hlt
    expectFlagsOfTheAddition({ 0xb8, 0xff, 0xff, 0xff, 0x7f, 0x83, 0xc0, 0x01, 0xc7, 0x05, 0x12, 0x00, 0x10, 0x00, 0x9c,
        0x5b, 0x90, 0x90, 0x39, 0xc0, 0x90, 0x90, 0xf4 });
}

TEST_P(FlagsBeforeStore, AreKeptOverAJump)
{
    // The same with a jump to the store.
    expectFlagsOfTheAddition({ 0xb8, 0xff, 0xff, 0xff, 0x7f, 0x83, 0xc0, 0x01, 0xeb, 0x00, 0xc7, 0x05, 0x14, 0x00, 0x10,
        0x00, 0x9c, 0x5b, 0x90, 0x90, 0x39, 0xc0, 0x90, 0x90, 0xf4 });
}

TEST_P(FlagsBeforeStore, AreKeptOverAHandlerThatStores)
{
    // The same with SGDT, which the interpreter's handler carries out, before the store: mov eax, 7fffffff; add eax, 1;
    // sgdt [data]; mov dword [code + 25], (pushf; pop ebx; nop; nop); cmp eax, eax; hlt
    expectFlagsOfTheAddition({ 0xb8, 0xff, 0xff, 0xff, 0x7f, 0x83, 0xc0, 0x01, 0x0f, 0x01, 0x05, 0x00, 0x00, 0x20, 0x00,
        0xc7, 0x05, 0x19, 0x00, 0x10, 0x00, 0x9c, 0x5b, 0x90, 0x90, 0x39, 0xc0, 0x90, 0x90, 0xf4 });
}

INSTANTIATE_TEST_SUITE_P(Forms, FlagsBeforeStore, ::testing::Bool());

} // namespace namsan
