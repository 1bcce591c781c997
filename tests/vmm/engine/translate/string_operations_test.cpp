// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace namsan {

namespace {

class Random {
public:
    explicit Random(uint32_t seed)
        : m_engine(seed)
    {
    }
    uint32_t operator()() { return static_cast<uint32_t>(m_engine()); }

private:
    std::mt19937 m_engine;
};

// A few string instructions with random prefixes and counts; between them the pointers move on by themselves.
std::vector<uint8_t> makeCode(Random& random)
{
    static constexpr std::array<uint8_t, 10> opcodes { 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf };
    std::vector<uint8_t> code;
    for (unsigned n = 1 + random() % 4; n > 0; --n) {
        if (random() % 8 == 0)
            code.push_back(random() % 2 ? 0xfd : 0xfc); // std, cld
        if (random() % 6 == 0)
            code.push_back(0x66);
        if (random() % 4 != 0)
            code.push_back(random() % 3 ? 0xf3 : 0xf2);
        code.push_back(opcodes[random() % opcodes.size()]);
        if (random() % 2) { // mov ecx, so many
            code.push_back(0xb9);
            const uint32_t count = random() % 4 ? random() % 40 : random() % 3000;
            for (unsigned byte = 0; byte < 4; ++byte)
                code.push_back(static_cast<uint8_t>(count >> 8 * byte));
        }
    }
    code.push_back(0xf4);
    return code;
}

uint32_t pointer(Random& random)
{
    const uint32_t page = TranslatorBench::data + 0x1000 * (random() % 6);
    return random() % 2 ? page + 0xfe0 + random() % 32 : page + random() % 0x1000;
}

void prepare(TranslatorBench& bench, uint32_t seed, const std::vector<uint8_t>& code)
{
    Random random(seed);
    bench.load(TranslatorBench::code, code);
    const bool alike = random() % 2; // so that comparisons go on for a while
    for (uint32_t offset = 0; offset < 0x8000; ++offset)
        bench.put<uint8_t>(TranslatorBench::data + offset, alike ? (random() % 200 == 0) : random() & 3);
    bench.enablePaging();
    if (random() % 2)
        bench.setPage(TranslatorBench::data + 0x4000, 0);
    bench.cpu.gpr[Eax] = random() % 4 * 0x01010101u;
    bench.cpu.gpr[Ecx] = random() % 3 ? random() % 64 : random() % 2 ? ~0u : 0;
    bench.cpu.gpr[Esi] = pointer(random);
    bench.cpu.gpr[Edi] = random() % 4 ? pointer(random) : bench.cpu.gpr[Esi] + random() % 8; // overlapping
    bench.cpu.setEflags(random() & eflags::arithmetic);
}

} // namespace

class TranslatedStrings : public ::testing::TestWithParam<uint32_t> { };

TEST_P(TranslatedStrings, EndAlike)
{
    constexpr uint32_t cases = 100;
    for (uint32_t n = 0; n < cases; ++n) {
        const uint32_t seed = GetParam() * cases + n;
        Random random(seed);
        const std::vector<uint8_t> code = makeCode(random);
        TranslatorBench interpreted;
        TranslatorOptions options = TranslatorBench::eager();
        options.exactFlags = true;
        TranslatorBench translated(options);
        prepare(interpreted, seed, code);
        prepare(translated, seed, code);
        const auto expected = interpreted.stepUntilHalt(TranslatorBench::code, 1 << 21);
        std::string text = fmt::format("seed {}:", seed);
        for (const uint8_t byte : code)
            text += fmt::format(" {:02x}", byte);
        ASSERT_TRUE(expected) << text;
        ASSERT_EQ(translated.runFrom(TranslatorBench::code), *expected) << text;
        ASSERT_EQ(differenceOf(interpreted, translated, eflags::arithmetic), "") << text;
        ASSERT_EQ(interpreted.counters.instructions.value(), translated.counters.instructions.value()) << text;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TranslatedStrings, ::testing::Range(0u, 4u));

TEST(TranslatedString, GoesOnInTheHandlerWhereItsPageEnds)
{
    TranslatorBench bench(TranslatorBench::eager());
    bench.put<uint8_t>(TranslatorBench::data + 0x2345, 7);
    bench.cpu.gpr[Eax] = 7;
    bench.cpu.gpr[Ecx] = ~0u;
    bench.cpu.gpr[Edi] = TranslatorBench::data + 0x10;
    bench.load(TranslatorBench::code, { 0xf2, 0xae, 0xf4 }); // repne scasb; hlt
    EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Edi], TranslatorBench::data + 0x2346);
    EXPECT_EQ(bench.cpu.gpr[Ecx], ~0u - 0x2336);
    EXPECT_TRUE(bench.cpu.eflags() & eflags::zero);
    EXPECT_EQ(bench.counters.instructions.value(), 2u);
}

} // namespace namsan
