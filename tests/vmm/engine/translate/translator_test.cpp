// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include <Zydis/Zydis.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

namespace namsan {

class TranslatorTest : public ::testing::Test {
protected:
    TranslatorBench bench { TranslatorBench::eager() };

    // The text of a unit's code, one instruction a line.
    std::string disassemble(uint32_t linear)
    {
        const auto code = bench.translator->codeAt(linear);
        if (!code)
            return "not translated";
        std::string text;
        ZydisDisassembledInstruction instruction;
        for (const uint8_t* at = code->begin; at < code->end; at += instruction.info.length) {
            if (!ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, reinterpret_cast<ZyanU64>(at), at,
                    static_cast<ZyanUSize>(code->end - at), &instruction)))
                return text + "(no instruction)";
            text += instruction.text;
            text += '\n';
        }
        return text;
    }
};

TEST_F(TranslatorTest, RunsALoopInTranslatedCode)
{
    // mov ecx, 100000; xor eax, eax; l: add eax, ecx; dec ecx; jnz l; hlt
    bench.load(TranslatorBench::code, { 0xb9, 0xa0, 0x86, 0x01, 0x00, 0x31, 0xc0, 0x01, 0xc8, 0x49, 0x75, 0xfb, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], static_cast<uint32_t>(uint64_t { 100000 } * 100001 / 2));
    EXPECT_EQ(bench.counters.instructions.value(), 2u + 300000 + 1);
    EXPECT_GE(bench.counters.unitsTranslated.value(), 2u);
    EXPECT_LT(bench.counters.leavesForLink.value(), 10u); // the loop's jump is a jump of the host
}

TEST_F(TranslatorTest, CallsAndReturnsThroughTheJumpTable)
{
    // mov ecx, 1000; l: call f; dec ecx; jnz l; hlt; f (next page): push ecx; inc dword [esp]; pop edx; add eax, edx;
    // ret
    bench.load(
        TranslatorBench::code, { 0xb9, 0xe8, 0x03, 0x00, 0x00, 0xe8, 0xf6, 0x0f, 0x00, 0x00, 0x49, 0x75, 0xf8, 0xf4 });
    bench.load(TranslatorBench::code + 0x1000, { 0x51, 0xff, 0x04, 0x24, 0x5a, 0x01, 0xd0, 0xc3 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], 1000u * 1001 / 2 + 1000);
    EXPECT_EQ(bench.cpu.gpr[Esp], TranslatorBench::stack);
    EXPECT_LT(bench.counters.leavesForLookup.value(), 20u);
}

TEST_F(TranslatorTest, FaultsWithEverythingAsBeforeTheInstruction)
{
    bench.enablePaging();
    bench.setPage(TranslatorBench::data + 0x1000, 0);
    // mov eax, 1; mov ebx, 200ffe; push eax; add eax, 5; add [ebx], eax
    bench.load(
        TranslatorBench::code, { 0xb8, 1, 0, 0, 0, 0xbb, 0xfe, 0x0f, 0x20, 0x00, 0x50, 0x83, 0xc0, 0x05, 0x01, 0x03 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(14) + 1);
    EXPECT_EQ(bench.cpu.cr2, TranslatorBench::data + 0x1000);
    EXPECT_EQ(bench.cpu.gpr[Eax], 6u);
    EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp] + 4), TranslatorBench::code + 14);
    EXPECT_EQ(bench.counters.leavesForFault.value(), 1u);
    EXPECT_EQ(bench.counters.instructions.value(), 4u + 1); // and HLT
}

TEST_F(TranslatorTest, DividesByZeroInTheGuestOnly)
{
    // xor ecx, ecx; mov eax, 7; cdq; idiv ecx
    bench.load(TranslatorBench::code, { 0x31, 0xc9, 0xb8, 7, 0, 0, 0, 0x99, 0xf7, 0xf9 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(0) + 1);
    EXPECT_EQ(bench.cpu.gpr[Eax], 7u);
}

TEST_F(TranslatorTest, SeesItsOwnInstructionsChange)
{
    // mov byte [code + 14], 5; mov eax, 0; nop; nop; add eax, 1 (whose 1 becomes 5); hlt
    bench.load(TranslatorBench::code,
        { 0xc6, 0x05, 0x10, 0x00, 0x10, 0x00, 0x05, 0xb8, 0, 0, 0, 0, 0x90, 0x90, 0x83, 0xc0, 0x01, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], 5u);
    EXPECT_GE(bench.counters.unitsDropped.value(), 1u);
}

TEST_F(TranslatorTest, KeepsUnitsWhenSomethingBesideThemIsWritten)
{
    // mov ecx, 1000; l: mov [code + 800], ecx; dec ecx; jnz l; hlt
    bench.load(
        TranslatorBench::code, { 0xb9, 0xe8, 0x03, 0, 0, 0x89, 0x0d, 0x00, 0x08, 0x10, 0x00, 0x49, 0x75, 0xf7, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.get32(TranslatorBench::code + 0x800), 1u);
    EXPECT_EQ(bench.counters.unitsDropped.value(), 0u);
    EXPECT_LT(bench.counters.leavesForInterpreter.value(), 2u);
}

TEST_F(TranslatorTest, SeesAStringChangeWhatComesNext)
{
    bench.cpu.gpr[Edi] = TranslatorBench::code + 13;
    bench.cpu.gpr[Eax] = 0x40; // inc eax
    // mov ecx, 2; mov ebx, 7; nop; rep stosb; (at 13:) nop; nop; hlt
    bench.load(TranslatorBench::code, { 0xb9, 2, 0, 0, 0, 0xbb, 7, 0, 0, 0, 0x90, 0xf3, 0xaa, 0x90, 0x90, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x42u);
    EXPECT_EQ(bench.counters.instructions.value(), 7u);
}

TEST_F(TranslatorTest, SeesAVectorChangeWhatComesNext)
{
    writeCr4(bench.cpu, cr4::fxsave);
    bench.load(TranslatorBench::data, { 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0xf4 });
    // movq xmm0, [data]; movq [code + 16], xmm0; (at 16:) eight times nop; hlt
    bench.load(TranslatorBench::code,
        { 0xf3, 0x0f, 0x7e, 0x05, 0x00, 0x00, 0x20, 0x00, 0x66, 0x0f, 0xd6, 0x05, 0x10, 0x00, 0x10, 0x00, 0x90, 0x90,
            0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], 7u);
}

TEST_F(TranslatorTest, JumpsIntoTheMiddleOfAnInstruction)
{
    // xor ecx, ecx; l: mov eax, f4404040 (whose bytes are inc eax three times and hlt); inc ecx; cmp ecx, 3; jne l;
    // jmp l + 1
    bench.load(TranslatorBench::code,
        { 0x31, 0xc9, 0xb8, 0x40, 0x40, 0x40, 0xf4, 0x41, 0x83, 0xf9, 0x03, 0x75, 0xf5, 0xeb, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], 0xf4404043u);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::code + 7);
}

TEST_F(TranslatorTest, FaultsWhereAnInstructionRunsIntoAPageThatIsNotThere)
{
    bench.enablePaging();
    bench.setPage(TranslatorBench::code + 0x1000, 0);
    bench.load(TranslatorBench::code + 0xffc, { 0x40, 0x40, 0x40, 0xb8 }); // inc eax, three times; mov eax, ...
    EXPECT_EQ(bench.runFrom(TranslatorBench::code + 0xffc), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(14) + 1);
    EXPECT_EQ(bench.cpu.cr2, TranslatorBench::code + 0x1000);
    EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp] + 4), TranslatorBench::code + 0xfff);
    EXPECT_EQ(bench.cpu.gpr[Eax], 3u);
}

// At the end of a page: mov eax, imm32, whose immediate lies in the next page; there a jump back to the loop below.
class StraddlingUnitTest : public TranslatorTest {
protected:
    static constexpr uint32_t start = TranslatorBench::code + 0xff0;
    static constexpr uint32_t secondPage = TranslatorBench::code + 0x1000;

    StraddlingUnitTest()
    {
        // mov ecx, 100; l: nop, eight times; add ebx, eax; mov eax, 7 (its 7 at the page's end); dec ecx; jnz l; hlt
        bench.load(start, { 0xb9, 100, 0, 0, 0, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x01, 0xc3, 0xb8 });
        bench.load(secondPage, { 7, 0, 0, 0, 0x49, 0x75, 0xee, 0xf4 });
    }
};

TEST_F(StraddlingUnitTest, IsReachedWithoutTheDispatcher)
{
    EXPECT_EQ(bench.runFrom(start), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Ebx], 99u * 7);
    EXPECT_EQ(bench.counters.instructions.value(), 1u + 100 * 12 + 1);
    EXPECT_LT(bench.counters.leavesForLink.value() + bench.counters.leavesForLookup.value(), 20u);
}

TEST_F(StraddlingUnitTest, SeesItsSecondPageChange)
{
    bench.runFrom(start);
    bench.load(secondPage, { 8 }); // as DMA does
    bench.codeCache.codeWrittenElsewhere(secondPage, 1);
    bench.cpu.gpr[Eax] = bench.cpu.gpr[Ebx] = 0;
    EXPECT_EQ(bench.runFrom(start), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Ebx], 99u * 8);
    bench.load(secondPage - 1, { 0xbd }); // mov ebp
    bench.codeCache.codeWrittenElsewhere(secondPage - 1, 1);
    EXPECT_EQ(bench.runFrom(start), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Ebp], 8u);
}

TEST_F(StraddlingUnitTest, FollowsTheMappingOfItsSecondPage)
{
    constexpr uint32_t frame = 0x280000;
    bench.enablePaging();
    bench.load(frame, { 9, 0, 0, 0, 0x49, 0x75, 0xee, 0xf4 });
    bench.runFrom(start);
    ASSERT_EQ(bench.cpu.gpr[Eax], 7u);
    bench.setPage(secondPage, frame | 7); // and INVLPG
    EXPECT_EQ(bench.runFrom(start), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], 9u);
    bench.put<uint32_t>(bench.tableEntry(secondPage), secondPage | 7);
    writeCr3(bench.cpu, ProcessorBench::pageDirectory);
    EXPECT_EQ(bench.runFrom(start), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], 7u);
    bench.setPage(secondPage, 0);
    EXPECT_EQ(bench.runFrom(start), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(14) + 1);
    EXPECT_EQ(bench.cpu.cr2, secondPage);
}

TEST_F(TranslatorTest, SavesNoFlagsThatTheNextRoundReplaces)
{
    // mov ecx, 100; mov ebx, data; l: mov eax, [ebx]; dec ecx; jnz l; xor eax, eax; hlt: DEC leaves CF alone, and
    // nobody asks for it.
    bench.load(TranslatorBench::code,
        { 0xb9, 100, 0, 0, 0, 0xbb, 0, 0, 0x20, 0, 0x8b, 0x03, 0x49, 0x75, 0xfb, 0x31, 0xc0, 0xf4 });
    bench.runFrom(TranslatorBench::code);
    const std::string text = disassemble(TranslatorBench::code + 10);
    EXPECT_EQ(text.find("sahf"), std::string::npos) << text;
    const size_t save = text.find("lahf"); // for HLT alone
    ASSERT_NE(save, std::string::npos) << text;
    EXPECT_GT(save, text.find("xor eax, eax")) << text;
    EXPECT_EQ(text.find("lahf", save + 1), std::string::npos) << text;
}

TEST_F(TranslatorTest, KeepsFlagsThatSomeWayAsksFor)
{
    // mov ecx, 3; l: stc; dec ecx; jz away; jmp l; away: adc eax, 0 (CF comes past two jumps); hlt
    bench.load(TranslatorBench::code, { 0xb9, 3, 0, 0, 0, 0xf9, 0x49, 0x74, 0x02, 0xeb, 0xfa, 0x83, 0xd0, 0x00, 0xf4 });
    for (uint32_t round = 1; round <= 3; ++round) {
        EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
        EXPECT_EQ(bench.cpu.gpr[Eax], round);
    }
}

TEST_F(TranslatorTest, GoesOnBehindLoadsOfDataSegments)
{
    // mov ecx, 100; l: mov ds, edx; mov es, edx; push ds; pop es; add eax, [200000]; dec ecx; jnz l; hlt
    bench.cpu.gpr[Edx] = ProcessorBench::kernelData;
    bench.put<uint32_t>(TranslatorBench::data, 3);
    bench.load(TranslatorBench::code,
        { 0xb9, 100, 0, 0, 0, 0x8e, 0xda, 0x8e, 0xc2, 0x1e, 0x07, 0x03, 0x05, 0, 0, 0x20, 0, 0x49, 0x75, 0xf1, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax], 300u);
    EXPECT_LT(bench.counters.leavesAfterHandler.value() + bench.counters.leavesForInterpreter.value(), 5u);
}

TEST_F(TranslatorTest, LeavesWhereADataSegmentDoesNotServe)
{
    // mov ds, edx; mov eax, [10]; hlt: DS begins at the data
    bench.setDescriptor(
        ProcessorBench::spare, ProcessorBench::makeDescriptor(TranslatorBench::data, 0xfffff, ProcessorBench::data0));
    bench.put<uint32_t>(TranslatorBench::data + 0x10, 77);
    bench.load(TranslatorBench::code, { 0x8e, 0xda, 0xa1, 0x10, 0, 0, 0, 0xf4 });
    for (const uint16_t selector : { ProcessorBench::kernelData, ProcessorBench::spare, ProcessorBench::kernelData }) {
        bench.cpu.gpr[Edx] = selector;
        EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
        EXPECT_EQ(bench.cpu.gpr[Eax], selector == ProcessorBench::spare ? 77u : bench.get32(0x10));
    }
}

TEST_F(TranslatorTest, TakesInterruptsWithTheFlagsThatHold)
{
    // The loop's flags are dead wherever it can be interrupted: l: add eax, 1; cmp eax, 0; jne l
    bench.cpu.otherFlags |= eflags::interruptEnable;
    bench.load(TranslatorBench::code, { 0x83, 0xc0, 0x01, 0x83, 0xf8, 0x00, 0x75, 0xf8, 0xf4 });
    auto stop = std::async(std::launch::async, [this] { return bench.runFrom(TranslatorBench::code); });
    while (bench.counters.unitsTranslated.value() == 0)
        std::this_thread::yield();
    bench.attention.raise(Attention::InterruptRequest);
    EXPECT_EQ(stop.get(), Interpreter::Stop::Halted);
    ASSERT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(32) + 1);
    const uint32_t image = bench.get32(bench.cpu.gpr[Esp] + 8);
    EXPECT_FALSE(image & eflags::zero);
    EXPECT_EQ((image & eflags::sign) != 0, bench.cpu.gpr[Eax] >> 31 != 0);
}

TEST_F(TranslatorTest, LetsOthersWriteIntoItsCode)
{
    bench.load(TranslatorBench::code, { 0xb8, 1, 0, 0, 0, 0xf4 });
    bench.runFrom(TranslatorBench::code);
    ASSERT_EQ(bench.cpu.gpr[Eax], 1u);
    bench.load(TranslatorBench::code, { 0xb8, 2, 0, 0, 0, 0xf4 }); // as DMA does
    bench.codeCache.codeWrittenElsewhere(TranslatorBench::code, 6);
    bench.runFrom(TranslatorBench::code);
    EXPECT_EQ(bench.cpu.gpr[Eax], 2u);
}

TEST_F(TranslatorTest, StartsAnewWhenTheCacheIsFull)
{
    TranslatorOptions options = TranslatorBench::eager();
    options.codeBytes = 128 << 10;
    TranslatorBench small(options);
    // 2000 times: inc eax; jmp to the next line of 64 bytes
    for (uint32_t n = 0; n < 2000; ++n)
        small.load(TranslatorBench::code + 64 * n, { 0x40, 0xeb, 61 });
    small.load(TranslatorBench::code + 64 * 2000, { 0xf4 });
    for (unsigned round = 1; round <= 2; ++round) {
        EXPECT_EQ(small.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
        EXPECT_EQ(small.cpu.gpr[Eax], 2000 * round);
    }
    EXPECT_GE(small.counters.unitsTranslated.value(), 3900u);
}

TEST_F(TranslatorTest, LeavesAnEndlessLoopWhenKicked)
{
    bench.load(TranslatorBench::code, { 0xeb, 0xfe });
    auto stop = std::async(std::launch::async, [this] { return bench.runFrom(TranslatorBench::code); });
    while (bench.counters.unitsTranslated.value() == 0)
        std::this_thread::yield();
    const auto kicked = std::chrono::steady_clock::now();
    bench.attention.raise(Attention::Kick);
    EXPECT_EQ(stop.get(), Interpreter::Stop::Kicked);
    EXPECT_LT(std::chrono::steady_clock::now() - kicked, std::chrono::seconds(5)); // it ends at all
    EXPECT_EQ(bench.cpu.nextEip, TranslatorBench::code);
}

TEST_F(TranslatorTest, LeavesSixteenBitCodeToTheInterpreter)
{
    bench.cpu.setSegment(Cs, { ProcessorBench::kernelCode, 0x809b, 0, 0xffffffff });
    bench.load(TranslatorBench::code, { 0xb8, 1, 0, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.counters.unitsTranslated.value(), 0u);
}

TEST_F(TranslatorTest, EmitsTheGuestsOwnInstructionsOnTheRegistersOfTheMap)
{
    // add eax, esp; mov ah, [ebx]; lea esi, [esp + ecx * 4 + 16]; hlt
    bench.cpu.gpr[Ebx] = TranslatorBench::data;
    bench.load(TranslatorBench::code, { 0x01, 0xe0, 0x8a, 0x23, 0x8d, 0x74, 0x8c, 0x10, 0xf4 });
    bench.runFrom(TranslatorBench::code);
    const std::string text = disassemble(TranslatorBench::code);
    EXPECT_NE(text.find("add eax, r12d"), std::string::npos) << text;
    EXPECT_NE(text.find("xchg ah, al\nmov al, [r10+r8*1]\nxchg ah, al"), std::string::npos) << text;
    EXPECT_NE(text.find("lea esi, [r12+rcx*4+0x10]"), std::string::npos) << text;
    EXPECT_EQ(text.find("(no instruction)"), std::string::npos) << text;
}

// Systems send two.
TEST(TranslatorStartUp, ASecondOneFindsAProcessorThatRuns)
{
    TranslatorBench bench;
    bench.cpu.eip = TranslatorBench::code;
    bench.cpu.nextEip = TranslatorBench::code + 5; // as translated code leaves it
    bench.cpu.startUp(0x9a);
    EXPECT_EQ(bench.cpu.nextEip, TranslatorBench::code + 5);
    EXPECT_NE(bench.cpu.segments[Cs].state.selector, 0x9a00);
}

} // namespace namsan
