// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include "vmm/engine/interpret/fxsave_image.h"

#include <gtest/gtest.h>

#include <bit>

namespace namsan {

namespace {

constexpr uint32_t onePage = 0x1000;

// Does with the host's floating-point registers what the ABI allows a called function to do.
class ClobberingObserver final : public TranslatorRuntime::AccessObserver {
public:
    bool aboutToAccess(uint32_t, unsigned, bool) override
    {
        ++calls;
        uint16_t control = 0;
        uint16_t status = 0;
        uint32_t mxcsrNow = 0;
        asm volatile("fnstcw %0\n\tfnstsw %1\n\tstmxcsr %2" : "=m"(control), "=m"(status), "=m"(mxcsrNow));
        asFunctionsFindIt &= control == 0x37f && (status & x87_status::topMask) == 0 && mxcsrNow == mxcsr::initial;
        asm volatile("pcmpeqd %%xmm0, %%xmm0\n\tmovdqa %%xmm0, %%xmm1\n\tmovdqa %%xmm0, %%xmm2\n\t"
                     "movdqa %%xmm0, %%xmm3\n\tmovdqa %%xmm0, %%xmm7\n\tfldpi\n\tfldpi\n\tfaddp\n\tfstp %%st(0)"
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm7");
        return true;
    }

    unsigned calls = 0;
    bool asFunctionsFindIt = true;
};

} // namespace

class TranslatedFloatingPoint : public ::testing::Test {
protected:
    TranslatedFloatingPoint()
    {
        writeCr4(bench.cpu, cr4::fxsave | cr4::simdExceptions);
        writeCr0(bench.cpu, bench.cpu.cr0 | cr0::numericError);
        image.control = x87ControlInitial;
        image.validTags = 0;
        image.mxcsr = mxcsr::initial;
        bench.cpu.gpr[Ebx] = TranslatorBench::data;
    }

    TranslatorBench bench { TranslatorBench::eager() };
    FxsaveImage& image = imageOf(bench.cpu.fxsave);
};

TEST_F(TranslatedFloatingPoint, RunsOnTheHostsUnits)
{
    bench.put(TranslatorBench::data, std::bit_cast<uint64_t>(1.5));
    // mov ecx, 1000; fldz; xorps xmm1, xmm1; l: fadd qword [ebx]; addsd xmm1, [ebx]; dec ecx; jnz l;
    // fstp qword [ebx + 8]; movsd [ebx + 16], xmm1; hlt
    bench.load(TranslatorBench::code,
        { 0xb9, 0xe8, 0x03, 0, 0, 0xd9, 0xee, 0x0f, 0x57, 0xc9, 0xdc, 0x03, 0xf2, 0x0f, 0x58, 0x0b, 0x49, 0x75, 0xf7,
            0xdd, 0x5b, 0x08, 0xf2, 0x0f, 0x11, 0x4b, 0x10, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(std::bit_cast<double>(bench.get<uint64_t>(TranslatorBench::data + 8)), 1500.0);
    EXPECT_EQ(std::bit_cast<double>(bench.get<uint64_t>(TranslatorBench::data + 16)), 1500.0);
    EXPECT_LT(bench.counters.leavesAfterHandler.value() + bench.counters.leavesForLink.value(), 10u);
    EXPECT_EQ(image.instructionOffset, TranslatorBench::code + 19);
    EXPECT_EQ(image.dataOffset, TranslatorBench::data + 8);
    EXPECT_EQ(image.codeSegment, ProcessorBench::kernelCode);
    EXPECT_EQ(image.dataSegment, ProcessorBench::kernelData);
}

TEST_F(TranslatedFloatingPoint, SurvivesWhateverIsCalled)
{
    ClobberingObserver observer;
    bench.translator->runtime().setObserver(&observer);
    bench.put<uint64_t>(TranslatorBench::data, 0x1111111122222222);
    // movq xmm3, [ebx]; fldpi; mov eax, [ebx + ffe] (crosses a page); mov [ebx + ffe], eax; movd edx, xmm3;
    // fstp qword [ebx + 8]; hlt
    bench.load(TranslatorBench::code,
        { 0xf3, 0x0f, 0x7e, 0x1b, 0xd9, 0xeb, 0x8b, 0x83, 0xfe, 0x0f, 0, 0, 0x89, 0x83, 0xfe, 0x0f, 0, 0, 0x66, 0x0f,
            0x7e, 0xda, 0xdd, 0x5b, 0x08, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_GE(observer.calls, 2u);
    EXPECT_TRUE(observer.asFunctionsFindIt);
    EXPECT_EQ(bench.cpu.gpr[Edx], 0x22222222u);
    EXPECT_EQ(bench.get<uint64_t>(TranslatorBench::data + 8), 0x400921fb54442d18u);
    EXPECT_EQ(image.xmm[3].quads[0], 0x1111111122222222u);
    bench.translator->runtime().setObserver(nullptr);
}

TEST_F(TranslatedFloatingPoint, RaisesAnUnmaskedX87ExceptionAtTheNextInstruction)
{
    bench.put<uint16_t>(TranslatorBench::data, 0x037b); // division by zero unmasked
    // fldcw [ebx]; fld1; fldz; fdivp; nop; fld1
    bench.load(TranslatorBench::code, { 0xd9, 0x2b, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0x90, 0xd9, 0xe8, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(16) + 1);
    EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp]), TranslatorBench::code + 9);
    EXPECT_EQ(image.instructionOffset, TranslatorBench::code + 6);
}

TEST_F(TranslatedFloatingPoint, RaisesAnUnmaskedSseExceptionAtOnce)
{
    bench.put<uint32_t>(TranslatorBench::data, 0x1d80); // division by zero unmasked
    bench.put<uint32_t>(TranslatorBench::data + 4, 0x3f800000);
    // ldmxcsr [ebx]; movss xmm0, [ebx + 4]; xorps xmm1, xmm1; divss xmm0, xmm1
    bench.load(TranslatorBench::code,
        { 0x0f, 0xae, 0x13, 0xf3, 0x0f, 0x10, 0x43, 0x04, 0x0f, 0x57, 0xc9, 0xf3, 0x0f, 0x5e, 0xc1, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(19) + 1);
    EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp]), TranslatorBench::code + 11);
    EXPECT_EQ(image.xmm[0].quads[0], 0x3f800000u);
}

TEST_F(TranslatedFloatingPoint, RefusesBitsOfMxcsrThatDoNotExist)
{
    bench.put<uint32_t>(TranslatorBench::data, 0x00011f80);
    bench.load(TranslatorBench::code, { 0x0f, 0xae, 0x13, 0xf4 }); // ldmxcsr [ebx]
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(13) + 1);
}

TEST_F(TranslatedFloatingPoint, RoundsAsTheGuestsControlWordSays)
{
    bench.put<uint16_t>(TranslatorBench::data, 0x0f7f); // towards zero
    bench.put(TranslatorBench::data + 8, std::bit_cast<uint64_t>(2.75));
    // fld qword [ebx + 8]; fld st0; fistp dword [ebx + 16]; fldcw [ebx]; fistp dword [ebx + 20]; hlt
    bench.load(
        TranslatorBench::code, { 0xdd, 0x43, 0x08, 0xd9, 0xc0, 0xdb, 0x5b, 0x10, 0xd9, 0x2b, 0xdb, 0x5b, 0x14, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.get32(TranslatorBench::data + 16), 3u);
    EXPECT_EQ(bench.get32(TranslatorBench::data + 20), 2u);
    uint16_t control = 0;
    asm volatile("fnstcw %0" : "=m"(control));
    EXPECT_EQ(control, 0x37f); // that of C++ is as it was
}

TEST_F(TranslatedFloatingPoint, IsNotAvailableAfterATaskSwitch)
{
    // fld1; mov eax, cr0; or eax, 8; mov cr0, eax; addps xmm0, xmm1
    bench.load(TranslatorBench::code,
        { 0xd9, 0xe8, 0x0f, 0x20, 0xc0, 0x83, 0xc8, 0x08, 0x0f, 0x22, 0xc0, 0x0f, 0x58, 0xc1, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(7) + 1);
    EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp]), TranslatorBench::code + 11);
}

TEST_F(TranslatedFloatingPoint, DoesNotExistWithoutTheSystemsPromise)
{
    writeCr4(bench.cpu, 0);
    bench.load(TranslatorBench::code, { 0x0f, 0x58, 0xc1, 0xf4 }); // addps xmm0, xmm1
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(6) + 1);
}

TEST_F(TranslatedFloatingPoint, FaultsOnAMisalignedOperand)
{
    // fld1; movaps xmm0, [ebx + 8]
    bench.load(TranslatorBench::code, { 0xd9, 0xe8, 0x0f, 0x28, 0x43, 0x08, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(13) + 1);
    EXPECT_EQ(image.instructionOffset, TranslatorBench::code); // the pointers are there when somebody looks
    EXPECT_EQ(bench.counters.instructions.value(), 1u + 1);
}

TEST_F(TranslatedFloatingPoint, CrossesPagesInOrderOrNotAtAll)
{
    bench.enablePaging();
    bench.setPage(TranslatorBench::data + onePage, 0);
    bench.put<uint64_t>(TranslatorBench::data + onePage - 8, 0x7777777777777777);
    // pxor xmm0, xmm0; movdqu [ebx + ff8], xmm0
    bench.load(TranslatorBench::code, { 0x66, 0x0f, 0xef, 0xc0, 0xf3, 0x0f, 0x7f, 0x83, 0xf8, 0x0f, 0, 0, 0xf4 });
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::handlerOf(14) + 1);
    EXPECT_EQ(bench.cpu.cr2, TranslatorBench::data + onePage);
    EXPECT_EQ(bench.get<uint64_t>(TranslatorBench::data + onePage - 8), 0x7777777777777777u);
}

} // namespace namsan
