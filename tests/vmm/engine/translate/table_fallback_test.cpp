// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include <gtest/gtest.h>

// Instructions that the translator has no code for are interpreted in the middle of a translated unit.
namespace namsan {

namespace {

constexpr uint32_t rounds = 300;

void loadProgram(TranslatorBench& bench)
{
    bench.cpu.cr4 |= cr4::fxsave;
    bench.load(TranslatorBench::code,
        { 0xb9, rounds & 0xff, rounds >> 8, 0, 0, // mov ecx,rounds
            0x66, 0x0f, 0x6e, 0xc1, // l: movd xmm0,ecx
            0x66, 0x0f, 0x38, 0x00, 0xc1, // pshufb xmm0,xmm1
            0x66, 0x0f, 0x38, 0x40, 0xc0, // pmulld xmm0,xmm0
            0x66, 0x0f, 0xfe, 0xd0, // paddd xmm2,xmm0
            0xf3, 0x0f, 0xb8, 0xc1, // popcnt eax,ecx
            0x01, 0xc2, // add edx,eax
            0xf2, 0x0f, 0x38, 0xf1, 0xf1, // crc32 esi,ecx
            0xd6, // salc
            0xe2, 0xe0, // loop l
            0xf4 });
}

} // namespace

TEST(TableFallback, TranslatedUnitsInterpretWhatTheyDoNotKnow)
{
    TranslatorBench interpreted, translated { TranslatorBench::eager() };
    for (TranslatorBench* bench : { &interpreted, &translated }) {
        loadProgram(*bench);
        ASSERT_EQ(bench->runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    }
    EXPECT_EQ(differenceOf(interpreted, translated, eflags::arithmetic), "");
    uint32_t bits = 0;
    for (uint32_t i = 1; i <= rounds; ++i)
        bits += static_cast<uint32_t>(std::popcount(i));
    EXPECT_EQ(translated.cpu.gpr[Edx], interpreted.cpu.gpr[Edx]);
    EXPECT_EQ(translated.cpu.gpr[Edx] - CpuModel::standard().signature(), bits);
    EXPECT_GT(translated.counters.unitsTranslated.value(), 0u);
}

} // namespace namsan
