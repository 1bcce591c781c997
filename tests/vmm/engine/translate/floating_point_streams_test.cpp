// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include "vmm/engine/interpret/fxsave_image.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace namsan {

namespace {

enum class Unit { X87, Simd, Both };

// Random x87, MMX and SSE instructions with operands that meet page ends and pages that are not there.
class FloatingPointStream {
public:
    FloatingPointStream(uint32_t seed, Unit unit)
        : m_random(seed)
    {
        if (unit != Unit::Simd)
            take(x87Instructions());
        if (unit != Unit::X87)
            take(simdInstructions());
    }

    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(m_random() % limit); }

    std::vector<uint8_t> make(unsigned count)
    {
        std::vector<uint8_t> bytes;
        for (unsigned n = 0; n < count; ++n)
            add(bytes);
        bytes.push_back(0xf4);
        return bytes;
    }

private:
    void take(std::span<const InstructionEntry> entries)
    {
        using enum Operation;
        // What loads control words from random memory would unmask exceptions: that has tests of its own.
        static const std::set<Operation> left { Fldcw, Fldenv, Frstor, Fxrstor, Ldmxcsr, Maskmovq, Maskmovdqu };
        for (const InstructionEntry& entry : entries)
            if (!left.contains(entry.operation))
                m_entries.push_back(&entry);
    }

    void add(std::vector<uint8_t>& bytes)
    {
        const InstructionEntry& entry = *m_entries[below(static_cast<uint32_t>(m_entries.size()))];
        if (entry.prefix == MandatoryPrefix::P66)
            bytes.push_back(0x66);
        if (entry.prefix == MandatoryPrefix::PF3)
            bytes.push_back(0xf3);
        if (entry.prefix == MandatoryPrefix::PF2)
            bytes.push_back(0xf2);
        if (entry.map == OpcodeMap::Extended0F)
            bytes.push_back(0x0f);
        bytes.push_back(entry.opcode);
        if (entry.modRm != ModRm::Absent)
            addModRm(entry, bytes);
        for (const Operand operand : entry.operands)
            if (operand == Operand::Imm8)
                bytes.push_back(static_cast<uint8_t>(below(256)));
    }

    void addModRm(const InstructionEntry& entry, std::vector<uint8_t>& bytes)
    {
        const uint32_t reg = (entry.extension >= 0 ? static_cast<uint32_t>(entry.extension) : below(8)) << 3;
        const bool memory = entry.modRm == ModRm::Memory || (entry.modRm == ModRm::Any && below(2));
        if (!memory) {
            const uint32_t rm = entry.rmExtension >= 0 ? static_cast<uint32_t>(entry.rmExtension) : below(8);
            bytes.push_back(static_cast<uint8_t>(0xc0 | reg | rm));
            return;
        }
        const uint32_t page = TranslatorBench::data + 0x1000 * below(5);
        const uint32_t address = below(16) == 0 ? page + 0xff0 + below(16) : page + 16 * below(252);
        bytes.push_back(static_cast<uint8_t>(reg | 5));
        for (unsigned n = 0; n < 4; ++n)
            bytes.push_back(static_cast<uint8_t>(address >> 8 * n));
    }

    std::mt19937 m_random;
    std::vector<const InstructionEntry*> m_entries;
};

void prepare(TranslatorBench& bench, uint32_t seed, const std::vector<uint8_t>& bytes)
{
    std::mt19937 random(seed);
    bench.load(TranslatorBench::code, bytes);
    static constexpr std::array<uint32_t, 8> notable { 0x3f800000, 0x40490fdb, 0x00000001, 0x7f800000, 0xffc00000,
        0x3ff00000, 0x80000000, 0 };
    for (uint32_t offset = 0; offset < 0x5000; offset += 4)
        bench.put<uint32_t>(TranslatorBench::data + offset,
            random() % 3 ? static_cast<uint32_t>(random()) : notable[random() % notable.size()]);
    bench.enablePaging();
    bench.setPage(TranslatorBench::data + 0x3000, 0);
    writeCr4(bench.cpu, cr4::fxsave | cr4::simdExceptions);
    FxsaveImage& image = imageOf(bench.cpu.fxsave);
    image.control = x87ControlInitial;
    image.status = static_cast<uint16_t>((random() & 7) << x87_status::topShift);
    image.validTags = static_cast<uint8_t>(random());
    image.mxcsr = static_cast<uint32_t>(mxcsr::initial | (random() & 3) << 13);
    for (unsigned reg = Eax; reg <= Edi; ++reg)
        if (reg != Esp)
            bench.cpu.gpr[reg] = static_cast<uint32_t>(random());
    for (unsigned n = 0; n < 8; ++n) {
        image.st[n] = { random() | 1ull << 63, static_cast<uint16_t>(0x3ff0 + random() % 32), {} };
        image.xmm[n].quads = { random() * 0x100000001ull, random() * 0x3ull << 30 };
    }
}

std::string floatingPointDifference(const TranslatorBench& left, const TranslatorBench& right)
{
    const FxsaveImage& a = imageOf(left.cpu.fxsave);
    const FxsaveImage& b = imageOf(right.cpu.fxsave);
    std::string text;
    const auto compare = [&](const char* what, uint64_t x, uint64_t y) {
        if (x != y)
            text += fmt::format("{} {:x}, translated {:x}; ", what, x, y);
    };
    compare("control", a.control, b.control);
    constexpr uint16_t status = static_cast<uint16_t>(~x87_status::c1); // processors differ in FCOMI and FCMOV
    compare("status", a.status & status, b.status & status);
    compare("tags", a.validTags, b.validTags);
    compare("opcode", a.opcode, b.opcode);
    compare("instruction", a.instructionOffset, b.instructionOffset);
    compare("code segment", a.codeSegment, b.codeSegment);
    compare("data", a.dataOffset, b.dataOffset);
    compare("data segment", a.dataSegment, b.dataSegment);
    compare("mxcsr", a.mxcsr, b.mxcsr);
    for (unsigned n = 0; n < 8; ++n) {
        compare("significand", a.st[n].significand, b.st[n].significand);
        compare("exponent", a.st[n].signExponent, b.st[n].signExponent);
        compare("xmm low", a.xmm[n].quads[0], b.xmm[n].quads[0]);
        compare("xmm high", a.xmm[n].quads[1], b.xmm[n].quads[1]);
    }
    return text;
}

std::string inHex(const std::vector<uint8_t>& bytes)
{
    std::string text = ", code";
    for (const uint8_t byte : bytes)
        text += fmt::format(" {:02x}", byte);
    return text;
}

} // namespace

class FloatingPointStreams : public ::testing::TestWithParam<std::tuple<Unit, uint32_t>> { };

TEST_P(FloatingPointStreams, EndAlike)
{
    constexpr unsigned streams = 60;
    const auto [unit, group] = GetParam();
    for (uint32_t n = 0; n < streams; ++n) {
        const uint32_t seed = group * streams + n;
        FloatingPointStream source(seed, unit);
        const std::vector<uint8_t> bytes = source.make(1 + source.below(30));
        TranslatorBench interpreted;
        TranslatorOptions options = TranslatorBench::eager();
        options.exactFlags = true;
        TranslatorBench translated(options);
        prepare(interpreted, seed, bytes);
        prepare(translated, seed, bytes);
        const auto expected = interpreted.stepUntilHalt(TranslatorBench::code, 1000);
        ASSERT_TRUE(expected);
        ASSERT_EQ(translated.runFrom(TranslatorBench::code), *expected) << "seed " << seed << inHex(bytes);
        ASSERT_EQ(floatingPointDifference(interpreted, translated), "") << "seed " << seed << inHex(bytes);
        ASSERT_EQ(differenceOf(interpreted, translated, 0), "") << "seed " << seed << inHex(bytes);
    }
}

INSTANTIATE_TEST_SUITE_P(Units, FloatingPointStreams,
    ::testing::Combine(::testing::Values(Unit::X87, Unit::Simd, Unit::Both), ::testing::Range(0u, 4u)));

} // namespace namsan
