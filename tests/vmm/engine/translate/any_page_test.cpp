// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"
#include "vmm/engine/interpret/fxsave_image.h"
#include "vmm/engine/translate/memory_form_choice.h"

#include <gtest/gtest.h>

namespace namsan {

struct AnyPageKind {
    bool flat;
    bool atOnce; // and not only when there is a second place
};

// The same physical code at two linear addresses.
class AnyPageTest : public ::testing::TestWithParam<AnyPageKind> {
protected:
    static constexpr uint32_t code = TranslatorBench::code;
    static constexpr uint32_t alias = 0x300000;
    static constexpr uint32_t third = 0x340000;
    static constexpr uint32_t otherFrame = 0x380000;

    static TranslatorOptions options()
    {
        TranslatorOptions options = TranslatorBench::eager();
        options.anyPageAtOnce = GetParam().atOnce;
        options.flat = GetParam().flat && chooseMemoryForm(MemoryFormWish::Best).flat;
        return options;
    }

    TranslatorBench bench { options() };

    AnyPageTest()
    {
        bench.enablePaging();
        bench.setPage(alias, code | 7);
        bench.setPage(third, code | 7);
    }

    uint64_t unitsMadeBy(uint32_t eip)
    {
        const uint64_t before = bench.counters.unitsTranslated.value();
        EXPECT_EQ(bench.runFrom(eip), Interpreter::Stop::Halted);
        return bench.counters.unitsTranslated.value() - before;
    }
};

TEST_P(AnyPageTest, SharesItsUnitsAndReturnsToWhereItWasCalledFrom)
{
    // call f; add eax, 1; hlt; f: mov eax, [esp]; ret
    bench.load(code, { 0xe8, 4, 0, 0, 0, 0x83, 0xc0, 0x01, 0xf4, 0x8b, 0x04, 0x24, 0xc3 });
    EXPECT_GT(unitsMadeBy(code), 0u);
    EXPECT_EQ(bench.cpu.gpr[Eax], code + 6);
    EXPECT_EQ(unitsMadeBy(alias) == 0, GetParam().atOnce);
    EXPECT_EQ(bench.cpu.gpr[Eax], alias + 6);
    EXPECT_EQ(bench.cpu.eip, alias + 9);
    for (const uint32_t linear : { code, third, alias, third, code }) {
        EXPECT_EQ(unitsMadeBy(linear), 0u);
        EXPECT_EQ(bench.cpu.gpr[Eax], linear + 6);
        EXPECT_EQ(bench.cpu.eip, linear + 9);
    }
    EXPECT_EQ(bench.counters.codePagesShared.value(), GetParam().atOnce ? 0u : 1u);
}

TEST_P(AnyPageTest, SharesTheUnitsOfProgramsWithoutBeingTold)
{
    TranslatorBench user { TranslatorBench::eager() };
    user.enablePaging();
    user.setPage(alias, code | 7);
    // call f; hlt (which is a general protection fault); f: ret
    user.load(code, { 0xe8, 1, 0, 0, 0, 0xf4, 0xc3 });
    std::vector<uint64_t> units;
    for (const uint32_t linear : { code, alias, code, alias }) {
        user.enterLevel3();
        user.runFrom(linear);
        ASSERT_EQ(user.cpu.eip, TranslatorBench::handlerOf(13) + 1);
        EXPECT_EQ(user.get32(user.cpu.gpr[Esp] + 4), linear + 5);
        units.push_back(user.counters.unitsTranslated.value());
    }
    EXPECT_GT(units[1], units[0]);
    EXPECT_EQ(units[3], units[1]);
}

TEST_P(AnyPageTest, FaultsWithTheAddressThatHoldsNow)
{
    bench.setPage(TranslatorBench::data, 0);
    bench.load(code + 2, { 0x40, 0xa1, 0, 0, 0x20, 0 }); // inc eax; mov eax, [data]
    for (const uint32_t linear : { code, alias, code }) {
        EXPECT_EQ(bench.runFrom(linear + 2), Interpreter::Stop::Halted);
        ASSERT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(14) + 1);
        EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp] + 4), linear + 3);
    }
}

TEST_P(AnyPageTest, KeepsTheX87AddressThatHoldsNow)
{
    bench.load(code, { 0xdb, 0xe3, 0xd9, 0xe8, 0xf4 }); // fninit; fld1; hlt
    for (const uint32_t linear : { code, alias }) {
        bench.runFrom(linear);
        EXPECT_EQ(imageOf(bench.cpu.fxsave).instructionOffset, linear + 2);
    }
}

TEST_P(AnyPageTest, GoesOnInThePageThatFollowsNow)
{
    bench.setPage(alias + 0x1000, otherFrame | 7);
    bench.load(code + 0xffd, { 0x31, 0xc0, 0x40 }); // xor eax, eax; inc eax
    bench.load(code + 0x1000, { 0x40, 0xe9, 0xf9, 0x0f, 0, 0 }); // inc eax; jmp code + 1fff
    bench.load(code + 0x1fff, { 0xf4 });
    bench.load(otherFrame, { 0x48, 0x48, 0xf4 }); // dec eax, twice; hlt
    for (unsigned round = 0; round < 3; ++round) {
        EXPECT_EQ(bench.runFrom(code + 0xffd), Interpreter::Stop::Halted);
        EXPECT_EQ(bench.cpu.gpr[Eax], 2u);
        EXPECT_EQ(bench.cpu.eip, code + 0x2000);
        EXPECT_EQ(bench.runFrom(alias + 0xffd), Interpreter::Stop::Halted);
        EXPECT_EQ(bench.cpu.gpr[Eax], ~uint32_t { 0 });
        EXPECT_EQ(bench.cpu.eip, alias + 0x1003);
    }
}

TEST_P(AnyPageTest, AnInstructionOverThePagesEndIsWhatFollowsNow)
{
    bench.setPage(alias + 0x1000, otherFrame | 7);
    bench.load(code + 0xffe, { 0xb8, 1 }); // mov eax, ...
    bench.load(code + 0x1000, { 0, 0, 0, 0xf4 });
    bench.load(otherFrame, { 2, 0, 0, 0xf4 });
    for (unsigned round = 0; round < 3; ++round) {
        bench.runFrom(code + 0xffe);
        EXPECT_EQ(bench.cpu.gpr[Eax], 1u);
        bench.runFrom(alias + 0xffe);
        EXPECT_EQ(bench.cpu.gpr[Eax], 0x201u);
    }
}

TEST_P(AnyPageTest, ForgetsAtAllAddressesWhatIsWritten)
{
    // mov ecx, 3; l: add eax, 1; jmp next; next: dec ecx; jnz l; hlt
    bench.load(code, { 0xb9, 3, 0, 0, 0, 0x83, 0xc0, 0x01, 0xeb, 0x00, 0x49, 0x75, 0xf8, 0xf4 });
    for (const uint8_t step : std::initializer_list<uint8_t> { 1, 5, 7 }) {
        bench.load(code + 7, { step }); // as DMA does
        bench.codeCache.codeWrittenElsewhere(code + 7, 1);
        for (const uint32_t linear : { alias, code, alias }) {
            bench.cpu.gpr[Eax] = 0;
            EXPECT_EQ(bench.runFrom(linear), Interpreter::Stop::Halted);
            EXPECT_EQ(bench.cpu.gpr[Eax], 3u * step);
        }
    }
}

TEST_P(AnyPageTest, FollowsTheMapping)
{
    bench.load(code, { 0xb8, 1, 0, 0, 0, 0xf4 });
    bench.load(otherFrame, { 0xb8, 2, 0, 0, 0, 0xf4 });
    // call [esi]; hlt: by way of the jump table, in another page
    constexpr uint32_t caller = 0x180000;
    bench.load(caller, { 0xff, 0xd6, 0x83, 0xc0, 0x10, 0xf4 });
    bench.load(code + 5, { 0xc3 });
    bench.load(otherFrame + 5, { 0xc3 });
    bench.cpu.gpr[Esi] = alias;
    for (const uint32_t frame : { code, otherFrame, code, otherFrame }) {
        bench.setPage(alias, frame | 7); // and INVLPG
        bench.runFrom(caller);
        EXPECT_EQ(bench.cpu.gpr[Eax], frame == code ? 0x11u : 0x12u);
        bench.put<uint32_t>(bench.tableEntry(alias), (frame == code ? otherFrame : code) | 7);
        writeCr3(bench.cpu, ProcessorBench::pageDirectory);
        bench.runFrom(caller);
        EXPECT_EQ(bench.cpu.gpr[Eax], frame == code ? 0x12u : 0x11u);
    }
}

// A small code region of several parts, which are emptied again and again while what is in the others goes on. Each
// place reads over a page's end, so that its lookup asks before long.
TEST_P(AnyPageTest, GoesOnWhilePartsOfItsCodeAreEmptied)
{
    constexpr uint32_t places = 10000;
    for (const bool anyPage : { false, true }) {
        TranslatorOptions smallOptions = options();
        smallOptions.anyPageAtOnce = anyPage;
        smallOptions.codeBytes = 1 << 20;
        TranslatorBench small(smallOptions);
        small.enablePaging();
        // mov ebx, [edx]; add eax, ebx; jmp to the next line of 32 bytes
        for (uint32_t n = 0; n < places; ++n)
            small.load(code + 32 * n, { 0x8b, 0x1a, 0x01, 0xd8, 0xeb, 26 });
        small.load(code + 32 * places, { 0xf4 });
        small.cpu.gpr[Edx] = TranslatorBench::data + 0xffe;
        small.put<uint32_t>(TranslatorBench::data + 0xffe, 0x10001);
        for (unsigned round = 1; round <= 4; ++round) {
            // The last places again and again, which stay while the first come and go.
            for (unsigned again = 0; again < 5; ++again) {
                small.cpu.gpr[Eax] = 0;
                EXPECT_EQ(small.runFrom(code + 32 * (places - 100)), Interpreter::Stop::Halted);
                EXPECT_EQ(small.cpu.gpr[Eax], 100 * 0x10001u);
            }
            small.cpu.gpr[Eax] = 0;
            EXPECT_EQ(small.runFrom(code), Interpreter::Stop::Halted);
            EXPECT_EQ(small.cpu.gpr[Eax], places * 0x10001u);
        }
        EXPECT_GE(small.counters.codePartsEmptied.value(), 2u);
    }
}

// What every process of the same program at the same address does.
TEST_P(AnyPageTest, DoesNotShareWhatIsAtOneLinearPageInEveryAddressSpace)
{
    bench.load(code, { 0xe8, 4, 0, 0, 0, 0x83, 0xc0, 0x01, 0xf4, 0x8b, 0x04, 0x24, 0xc3 });
    unitsMadeBy(code);
    for (unsigned round = 0; round < 3; ++round) {
        writeCr3(bench.cpu, ProcessorBench::pageDirectory);
        EXPECT_EQ(unitsMadeBy(code), 0u);
    }
    EXPECT_EQ(bench.counters.codePagesShared.value(), 0u);
}

// What was shared does not stay so when something else is in the page.
TEST_P(AnyPageTest, BeginsAnewWithAPageThatHasOtherCode)
{
    for (uint8_t round = 1; round <= 3; ++round) {
        bench.load(code, { 0xb8, round, 0, 0, 0, 0x40, 0xf4 }); // mov eax, round; inc eax; hlt
        bench.codeCache.codeWrittenElsewhere(code, 0x1000);
        for (const uint32_t linear : { code, code, alias, third }) {
            bench.runFrom(linear);
            EXPECT_EQ(bench.cpu.gpr[Eax], round + 1u);
            const uint64_t expected = linear == code ? round - 1u : round;
            EXPECT_EQ(bench.counters.codePagesShared.value(), GetParam().atOnce ? 0 : expected);
        }
    }
}

// From a page that is at one place to one that is at two, and back.
TEST_P(AnyPageTest, JumpsBetweenPagesOfBothKinds)
{
    bench.setPage(alias + 0x1000, (code + 0x1000) | 7);
    bench.setPage(alias, otherFrame | 7);
    bench.load(code, { 0x40, 0xe9, 0xfa, 0x0f, 0, 0 }); // inc eax; jmp code + 1000
    bench.load(otherFrame, { 0x83, 0xc0, 0x10, 0x90, 0xe9, 0xf7, 0x0f, 0, 0 }); // add eax, 10; nop; jmp alias + 1000
    bench.load(code + 0x1000, { 0x49, 0xeb, 0x00, 0x0f, 0x85, 0xf7, 0xef, 0xff, 0xff, 0xf4 }); // dec ecx; jmp; jnz; hlt
    for (unsigned round = 0; round < 3; ++round)
        for (const uint32_t linear : { code, alias }) {
            bench.cpu.gpr[Eax] = 0;
            bench.cpu.gpr[Ecx] = 50;
            EXPECT_EQ(bench.runFrom(linear), Interpreter::Stop::Halted);
            EXPECT_EQ(bench.cpu.gpr[Eax], linear == code ? 50u : 50u * 16);
            EXPECT_EQ(bench.cpu.eip, linear + 0x100a);
        }
}

// In a page at one place, with the linear page of another still in the frame.
TEST_P(AnyPageTest, KeepsAddressesAfterComingFromASharedPage)
{
    constexpr uint32_t single = 0x180000;
    bench.load(code, { 0xff, 0xe6 }); // jmp esi
    // cpuid, a loop, a call, and a load that faults
    bench.load(single, { 0x0f, 0xa2, 0xb9, 3, 0, 0, 0, 0x49, 0x75, 0xfd, 0xe8, 0, 0, 0, 0, 0xa1, 0, 0, 0x20, 0 });
    bench.setPage(TranslatorBench::data, 0);
    for (const uint32_t linear : { code, alias, third, alias }) {
        bench.cpu.gpr[Esi] = single;
        bench.cpu.gpr[Esp] = TranslatorBench::stack - 0x1000;
        EXPECT_EQ(bench.runFrom(linear), Interpreter::Stop::Halted);
        ASSERT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(14) + 1);
        EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp] + 4), single + 15);
        EXPECT_EQ(bench.get32(TranslatorBench::stack - 0x1004), single + 15);
    }
}

// The instruction behind the store is the one that is written, through another mapping of the same page.
TEST_P(AnyPageTest, ChangesItselfThroughAnotherMapping)
{
    constexpr uint32_t window = 0x3c0000;
    bench.setPage(window, code | 7);
    // mov [ebx], dl; mov al, 0; movzx eax, al; hlt
    bench.load(code, { 0x88, 0x13, 0xb0, 0x00, 0x0f, 0xb6, 0xc0, 0xf4 });
    uint8_t written = 1;
    for (unsigned round = 0; round < 4; ++round)
        for (const uint32_t linear : { code, alias, third })
            for (const uint32_t through : { window, linear, code, alias }) {
                bench.cpu.gpr[Ebx] = through + 3;
                bench.cpu.gpr[Edx] = ++written;
                EXPECT_EQ(bench.runFrom(linear), Interpreter::Stop::Halted);
                ASSERT_EQ(bench.cpu.gpr[Eax], written);
                ASSERT_EQ(bench.cpu.eip, linear + 8);
            }
}

INSTANTIATE_TEST_SUITE_P(Forms, AnyPageTest,
    ::testing::Values(AnyPageKind { false, false }, AnyPageKind { false, true }, AnyPageKind { true, false },
        AnyPageKind { true, true }),
    [](const auto& info) {
        return std::string(info.param.flat ? "Flat" : "Tables") + (info.param.atOnce ? "AtOnce" : "WhenShared");
    });

} // namespace namsan
