// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include "vmm/engine/translate/memory_form_choice.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace namsan {

namespace {

bool isFlat()
{
    return chooseMemoryForm(MemoryFormWish::Best).flat;
}

TranslatorOptions optionsWith(bool keepsBases)
{
    TranslatorOptions options = TranslatorBench::eager();
    options.flat = isFlat();
    options.keepsBases = keepsBases;
    return options;
}

// Code that uses and moves a few base registers among pages that lie next to each other for the guest and nowhere near
// each other in memory.
class BaseStream {
public:
    explicit BaseStream(uint32_t seed)
        : m_random(seed)
    {
    }

    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(m_random() % limit); }
    uint32_t address()
    {
        const uint32_t end = TranslatorBench::data + 0x1000 * (1 + below(6));
        return below(2) ? end - 64 + below(128) : TranslatorBench::data + below(0x7000);
    }

    std::vector<uint8_t> make(unsigned count)
    {
        for (unsigned n = 0; n < count; ++n)
            add();
        m_bytes.push_back(0xf4);
        return m_bytes;
    }

private:
    static constexpr std::array<uint8_t, 4> bases { Ebx, Esp, Ebp, Esi };
    static constexpr std::array<uint8_t, 4> others { Eax, Ecx, Edx, Edi };

    uint8_t base() { return bases[below(4)]; }
    uint8_t other() { return others[below(4)]; }
    void put(std::initializer_list<int> bytes)
    {
        for (const int byte : bytes)
            m_bytes.push_back(static_cast<uint8_t>(byte));
    }
    void put32(uint32_t value)
    {
        for (int shift = 0; shift < 32; shift += 8)
            m_bytes.push_back(static_cast<uint8_t>(value >> shift));
    }
    // ModRM with a displacement, as a rule a small one.
    void operand(unsigned reg, uint8_t base)
    {
        const bool wide = below(4) == 0;
        put({ static_cast<int>((wide ? 0x80 : 0x40) | reg << 3 | base) });
        if (base == Esp)
            put({ 0x24 });
        if (wide)
            put32(below(0x2400) - 0x1200);
        else
            put({ static_cast<int>(below(256)) });
    }
    void access(std::initializer_list<int> opcode, unsigned reg)
    {
        put(opcode);
        operand(reg, base());
    }

    void add()
    {
        switch (below(24)) {
        case 0:
        case 1:
        case 2:
        case 3:
            return access({ 0x8b }, other());
        case 4:
        case 5:
        case 6:
            return access({ 0x89 }, other());
        case 7:
            return access({ 0x03 }, other());
        case 8:
            access({ 0x83 }, below(8));
            return put({ static_cast<int>(below(256)) });
        case 9:
            return access({ 0x0f, 0xb6 }, other());
        case 10:
            return access({ 0x88 }, below(8)); // AH to BH, too
        case 11:
            return access({ 0x66, 0x89 }, other());
        case 12:
        case 13:
            return put({ 0x50 + other() });
        case 14:
            return put({ 0x58 + other() });
        case 15:
            return access({ 0xff }, 6); // push
        case 16:
            return access({ 0x8f }, 0); // pop
        case 17:
            return access({ 0x8d }, base());
        case 18:
            return put({ 0x89, 0xc0 | base() << 3 | base() });
        case 19:
            put({ below(2) ? 0x83 : 0x81 });
            put({ (below(2) ? 0xc0 : 0xe8) | base() });
            if (m_bytes[m_bytes.size() - 2] == 0x83)
                return put({ static_cast<int>(below(256)) });
            return put32(below(0x2800) - 0x1400);
        case 20:
            return put({ (below(2) ? 0x40 : 0x48) | base() });
        case 21:
            put({ 0xb8 | base() });
            return put32(address());
        case 22:
            return below(2) ? put({ 0x70 | static_cast<int>(below(16)), 0 }) : put({ 0xc9 }); // jcc; leave
        default:
            return below(2) ? access({ 0x8b }, base()) : put({ 0xe8, 0, 0, 0, 0 }); // call
        }
    }

    std::mt19937 m_random;
    std::vector<uint8_t> m_bytes;
};

void prepareMemory(TranslatorBench& bench, uint32_t seed)
{
    BaseStream random(seed);
    bench.enablePaging();
    constexpr std::array<uint32_t, 7> frames { 0x286000, 0x281000, 0x284000, 0x282000, 0x288000, 0x283000, 0x290000 };
    for (uint32_t page = 0; page < frames.size(); ++page)
        bench.setPage(TranslatorBench::data + 0x1000 * page, frames[page] | 7);
    bench.setPage(TranslatorBench::data + 0x5000, random.below(3) ? frames[5] | 1 : 0u);
    writeCr0(bench.cpu, bench.cpu.cr0 | cr0::writeProtect);
    for (uint32_t offset = 0; offset < 0x20000; offset += 4)
        bench.put<uint32_t>(0x280000 + offset, random.below(4) ? random.below(0x80000000) : random.address());
}

void prepareRegisters(TranslatorBench& bench, uint32_t seed)
{
    BaseStream random(seed);
    for (unsigned reg = Eax; reg <= Edi; ++reg)
        bench.cpu.gpr[reg] = random.address();
    bench.cpu.setEflags(0);
}

std::string inHex(const std::vector<uint8_t>& bytes)
{
    std::string text = ", code";
    for (const uint8_t byte : bytes)
        text += fmt::format(" {:02x}", byte);
    return text;
}

enum class Units { WithoutBases, WithBases, OfAnyPage };

class KeptBasesStreams : public ::testing::TestWithParam<std::tuple<uint32_t, Units>> { };

} // namespace

// Often enough that accesses which fault on the host again and again are emitted anew.
TEST_P(KeptBasesStreams, EndAlike)
{
    constexpr uint32_t streams = 60;
    constexpr uint32_t rounds = 24;
    const auto [firstSeed, units] = GetParam();
    TranslatorOptions options = optionsWith(units != Units::WithoutBases);
    options.anyPageAtOnce = units == Units::OfAnyPage;
    unsigned finished = 0;
    for (uint32_t seed = firstSeed * streams; seed < (firstSeed + 1) * streams; ++seed) {
        const std::vector<uint8_t> bytes = BaseStream(seed).make(4 + seed % 40);
        TranslatorBench interpreted;
        TranslatorBench translated(options);
        for (TranslatorBench* bench : { &interpreted, &translated }) {
            bench->load(TranslatorBench::code, bytes);
            prepareMemory(*bench, seed);
        }
        for (uint32_t round = 0; round < rounds; ++round) {
            const uint32_t registers = seed * 100 + (round < rounds / 2 ? 0 : round);
            for (TranslatorBench* bench : { &interpreted, &translated })
                prepareRegisters(*bench, registers);
            const auto expected = interpreted.runFrom(TranslatorBench::code);
            ASSERT_EQ(translated.runFrom(TranslatorBench::code), expected) << "seed " << seed << inHex(bytes);
            if (expected == Interpreter::Stop::TripleFault)
                break; // the stack was where nothing can be written
            if (interpreted.cpu.eip < TranslatorBench::code) { // EFLAGS in a fault's frame
                const bool withCode = interpreted.cpu.eip == TranslatorBench::handlerOf(14) + 1;
                const uint32_t image = interpreted.cpu.gpr[Esp] + (withCode ? 12 : 8);
                for (TranslatorBench* bench : { &interpreted, &translated })
                    bench->cpu.memory.write<uint32_t>(image, 0);
            } else {
                ++finished;
            }
            ASSERT_EQ(differenceOf(interpreted, translated, 0), "")
                << "seed " << seed << ", round " << round << inHex(bytes);
        }
    }
    EXPECT_GT(finished, 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, KeptBasesStreams,
    ::testing::Combine(
        ::testing::Range(0u, 8u), ::testing::Values(Units::WithoutBases, Units::WithBases, Units::OfAnyPage)));

class KeptBasesTest : public ::testing::Test {
protected:
    static constexpr uint32_t page = TranslatorBench::data;
    static constexpr uint32_t frame = 0x280000;

    TranslatorBench bench { optionsWith(true) };

    KeptBasesTest()
    {
        bench.enablePaging();
        bench.setPage(page - 0x1000, (frame + 0x6000) | 7);
        bench.setPage(page, frame | 7);
        bench.setPage(page + 0x1000, (frame + 0x3000) | 7);
    }

    void run(std::initializer_list<uint8_t> code)
    {
        bench.load(TranslatorBench::code, code);
        again();
    }
    void again() { EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted); }
};

// mov ebx, 200020; mov eax, [ebx]; mov ecx, [ebx + 4]; mov edx, [ebx + 8]; mov esi, [ebx + 12]; hlt
TEST_F(KeptBasesTest, LooksUpABaseOnce)
{
    const std::initializer_list<uint8_t> code { 0xbb, 0x20, 0x00, 0x20, 0x00, 0x8b, 0x03, 0x8b, 0x4b, 0x04, 0x8b, 0x53,
        0x08, 0x8b, 0x73, 0x0c, 0xf4 };
    const auto bytesOf = [&code](bool keeps) {
        TranslatorBench other(optionsWith(keeps));
        other.load(TranslatorBench::code, code);
        EXPECT_EQ(other.runFrom(TranslatorBench::code), Interpreter::Stop::Halted);
        const auto emitted = other.translator->codeAt(TranslatorBench::code);
        // shrx r9d, r8d, r15d, where nothing is on its slow way
        constexpr std::array<uint8_t, 5> lookup { 0xc4, 0x42, 0x03, 0xf7, 0xc8 };
        const uint8_t* slowWays = std::find(emitted->begin, emitted->end, 0xe8); // a call
        int lookups = 0;
        for (const uint8_t* at = emitted->begin; at < slowWays; ++at)
            lookups += std::equal(lookup.begin(), lookup.end(), at);
        return lookups;
    };
    if (isFlat()) {
        EXPECT_EQ(bytesOf(false), 4);
        EXPECT_EQ(bytesOf(true), 1);
    }
}

TEST_F(KeptBasesTest, ReachesTheNeighbouringPagesWhereTheyAreMapped)
{
    bench.put<uint32_t>(frame + 0x6ffc, 0x11111111);
    bench.put<uint32_t>(frame, 0x22222222);
    bench.put<uint32_t>(frame + 0xffc, 0x33333333);
    bench.put<uint32_t>(frame + 0x3000, 0x44444444);
    for (int round = 0; round < 40; ++round) {
        // mov ebx, 200000; mov eax, [ebx]; mov ecx, [ebx - 4]; mov [ebx - 8], ecx; lea ebx, [ebx + ffc];
        // mov edx, [ebx]; mov esi, [ebx + 4]; mov [ebx + 8], esi; hlt
        run({ 0xbb, 0, 0, 0x20, 0, 0x8b, 0x03, 0x8b, 0x4b, 0xfc, 0x89, 0x4b, 0xf8, 0x8d, 0x9b, 0xfc, 0x0f, 0, 0, 0x8b,
            0x13, 0x8b, 0x73, 0x04, 0x89, 0x73, 0x08, 0xf4 });
        ASSERT_EQ(bench.cpu.gpr[Eax], 0x22222222u) << round;
        ASSERT_EQ(bench.cpu.gpr[Ecx], 0x11111111u);
        ASSERT_EQ(bench.cpu.gpr[Edx], 0x33333333u);
        ASSERT_EQ(bench.cpu.gpr[Esi], 0x44444444u);
        ASSERT_EQ(bench.get32(frame + 0x6ff8), 0x11111111u);
        ASSERT_EQ(bench.get32(frame + 0x3004), 0x44444444u);
    }
}

// What was found for one page says nothing about those two pages away, nor about the other end of the address space.
TEST_F(KeptBasesTest, FollowsTheStackPointerNoFartherThanItKnows)
{
    bench.setPage(page + 0x2000, (frame + 0x5000) | 7);
    for (int round = 0; round < 20; ++round) {
        // mov esp, 202100; push eax; sub esp, 1800; push eax; sub esp, 800; push eax; hlt
        bench.cpu.gpr[Eax] = 0x1000u + static_cast<uint32_t>(round);
        run({ 0xbc, 0x00, 0x21, 0x20, 0x00, 0x50, 0x81, 0xec, 0x00, 0x18, 0, 0, 0x50, 0x81, 0xec, 0x00, 0x08, 0, 0,
            0x50, 0xf4 });
        ASSERT_EQ(bench.cpu.gpr[Esp], 0x2000f4u);
        ASSERT_EQ(bench.get32(frame + 0x50fc), bench.cpu.gpr[Eax]);
        ASSERT_EQ(bench.get32(frame + 0x8f8), bench.cpu.gpr[Eax]);
        ASSERT_EQ(bench.get32(frame + 0xf4), bench.cpu.gpr[Eax]);
    }
}

TEST_F(KeptBasesTest, WrapsAtTheEndOfTheAddressSpace)
{
    bench.put<uint32_t>(ProcessorBench::pageDirectory + 4 * 1023, ProcessorBench::pageTable | 7);
    bench.put<uint32_t>(bench.tableEntry(0x3ff000), frame | 7);
    bench.put<uint32_t>(bench.tableEntry(0), (frame + 0x3000) | 7);
    bench.cpu.memory.flushAll();
    for (int round = 0; round < 20; ++round) {
        // mov esp, 4; push eax; push eax; push eax; pop ebx; pop ecx; pop edx; hlt
        bench.cpu.gpr[Eax] = 0x1000u + static_cast<uint32_t>(round);
        run({ 0xbc, 4, 0, 0, 0, 0x50, 0x50, 0x50, 0x5b, 0x59, 0x5a, 0xf4 });
        ASSERT_EQ(bench.get32(frame + 0x3000), bench.cpu.gpr[Eax]);
        ASSERT_EQ(bench.get32(frame + 0xffc), bench.cpu.gpr[Eax]);
        ASSERT_EQ(bench.get32(frame + 0xff8), bench.cpu.gpr[Eax]);
        ASSERT_EQ(bench.cpu.gpr[Ebx] + bench.cpu.gpr[Ecx] + bench.cpu.gpr[Edx], 3 * bench.cpu.gpr[Eax]);
    }
}

TEST_F(KeptBasesTest, KeepsNoMoreWhatFaultsOnTheHostAgainAndAgain)
{
    // mov ebx, 200ffc; mov eax, [ebx]; mov ecx, [ebx + 4]; hlt
    const std::initializer_list<uint8_t> code { 0xbb, 0xfc, 0x0f, 0x20, 0x00, 0x8b, 0x03, 0x8b, 0x4b, 0x04, 0xf4 };
    bench.load(TranslatorBench::code, code);
    for (int round = 0; round < 40; ++round)
        again();
    const uint64_t faults = bench.counters.accessFaults.value();
    again();
    EXPECT_EQ(bench.counters.accessFaults.value(), faults);
    if (isFlat()) {
        EXPECT_EQ(bench.counters.basesKeptNoMore.value(), 1u);
        EXPECT_LT(faults, 16u);
    }
}

// The store that comes after the read is as good as never carried out.
TEST_F(KeptBasesTest, ReadsWhereNothingCanBeWritten)
{
    bench.setPage(page, frame | 5);
    bench.enterLevel3();
    // mov ebx, 200020; mov eax, [ebx]; test ecx, ecx; jz +3; mov [ebx + 4], eax; hlt (a general protection fault)
    bench.load(TranslatorBench::code,
        { 0xbb, 0x20, 0x00, 0x20, 0x00, 0x8b, 0x03, 0x85, 0xc9, 0x74, 0x03, 0x89, 0x43, 0x04, 0xf4 });
    bench.put<uint32_t>(frame + 0x20, 0x12345678);
    uint64_t faults = 0;
    for (int round = 0; round < 80; ++round) {
        if (round == 40)
            faults = bench.counters.accessFaults.value();
        bench.enterLevel3();
        bench.cpu.gpr[Ecx] = 0;
        bench.runFrom(TranslatorBench::code);
        ASSERT_EQ(bench.cpu.gpr[Eax], 0x12345678u);
    }
    EXPECT_EQ(bench.counters.accessFaults.value(), faults);
    EXPECT_EQ(bench.counters.basesKeptNoMore.value(), isFlat() ? 1u : 0u);
}

// The slow way is taken in the middle; what was kept before it is looked up anew behind it.
TEST_F(KeptBasesTest, LooksAgainBehindASlowWay)
{
    // mov ebx, 200ff8; mov [ebx], eax; mov [ebx + 8], eax; mov [ebx + 4], eax; mov ecx, [ebx]; hlt
    for (uint32_t round = 0; round < 12; ++round) {
        bench.cpu.gpr[Eax] = 0x1000u + round;
        bench.setPage(page + 0x1000, (round & 1 ? frame + 0x3000 : frame + 0x7000) | 7);
        run({ 0xbb, 0xf8, 0x0f, 0x20, 0x00, 0x89, 0x03, 0x89, 0x43, 0x08, 0x89, 0x43, 0x04, 0x8b, 0x0b, 0xf4 });
        ASSERT_EQ(bench.get32(frame + 0xff8), 0x1000u + round);
        ASSERT_EQ(bench.get32(frame + 0xffc), 0x1000u + round);
        ASSERT_EQ(bench.get32((round & 1 ? frame + 0x3000 : frame + 0x7000)), 0x1000u + round);
        ASSERT_EQ(bench.cpu.gpr[Ecx], 0x1000u + round);
    }
}

} // namespace namsan
