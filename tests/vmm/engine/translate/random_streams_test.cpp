// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include "vmm/engine/translate/liveness.h"
#include "vmm/engine/translate/memory_form_choice.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <tuple>

namespace namsan {

namespace {

// Random streams of the table's general instructions, run by the interpreter and by the translator on machines of
// their own. Memory operands are near the ends of pages, of which some are not present, and now and then in the code.
class RandomStream {
public:
    enum class Locks { None, Some };

    explicit RandomStream(uint32_t seed, Locks locks = Locks::None)
        : m_random(seed)
        , m_locks(locks == Locks::Some)
    {
        for (const InstructionEntry& entry : generalInstructions())
            if (isWanted(entry))
                m_entries.push_back(&entry);
    }

    std::vector<uint8_t> make(unsigned count)
    {
        std::vector<uint8_t> bytes;
        for (unsigned n = 0; n < count; ++n)
            add(bytes);
        bytes.push_back(0xf4);
        return bytes;
    }

    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(m_random() % limit); }

    // An address where something is at stake: a page end of the data, somewhere in it, or, seldom, the code.
    uint32_t address()
    {
        const uint32_t kind = below(32);
        if (kind == 0)
            return TranslatorBench::code + below(512);
        if (m_locks && kind < 20) // where locked accesses need no help
            return TranslatorBench::data + (below(0x7000) & ~7u);
        if (kind < 8)
            return TranslatorBench::data + 0x1000 * (1 + below(6)) - 4 + below(8);
        return TranslatorBench::data + below(0x7000);
    }

private:
    static bool isWanted(const InstructionEntry& entry)
    {
        using enum Operation;
        // What goes elsewhere is made here with targets of its own; the rest would end nearly every stream at once.
        static const std::set<Operation> left { JmpIndirect, CallIndirect, CallRelative, RetNear, JmpRelative, Enter,
            Leave, Pop, Popa, Bound, Ud, Aam, Undefined };
        return !left.contains(entry.operation);
    }

    void add(std::vector<uint8_t>& bytes)
    {
        constexpr uint8_t lockPrefix = 0xf0;
        const InstructionEntry& entry = *m_entries[below(static_cast<uint32_t>(m_entries.size()))];
        const bool wide = below(6) != 0;
        const size_t start = bytes.size();
        if (!wide)
            bytes.push_back(0x66);
        if (entry.map == OpcodeMap::Extended0F)
            bytes.push_back(0x0f);
        uint8_t opcode = entry.opcode;
        for (const Operand operand : entry.operands)
            if (operand == Operand::OpcodeReg8 || operand == Operand::OpcodeRegV)
                opcode = static_cast<uint8_t>(opcode + below(8));
        bytes.push_back(opcode);
        bool memory = false;
        if (entry.modRm != ModRm::Absent)
            memory = addModRm(entry, bytes);
        if (m_locks && memory && (entry.attributes & attribute::lockable) && below(4))
            bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(start), lockPrefix);
        for (const Operand operand : entry.operands)
            addImmediate(operand, wide ? 4 : 2, bytes);
    }

    // Whether it names memory.
    bool addModRm(const InstructionEntry& entry, std::vector<uint8_t>& bytes)
    {
        const auto reg
            = static_cast<uint8_t>((entry.extension >= 0 ? static_cast<uint32_t>(entry.extension) : below(8)) << 3);
        const bool memory = entry.modRm == ModRm::Memory || (entry.modRm == ModRm::Any && below(2));
        if (!memory) {
            bytes.push_back(static_cast<uint8_t>(0xc0 | reg | below(8)));
            return false;
        }
        switch (below(4)) {
        case 0: { // a base that holds what it holds
            static constexpr std::array<uint8_t, 4> bases { Ebx, Ebp, Esi, Edi };
            bytes.push_back(static_cast<uint8_t>(0x40 | reg | bases[below(4)]));
            bytes.push_back(static_cast<uint8_t>(below(256)));
            break;
        }
        case 1: // base ESP, small displacement
            bytes.insert(bytes.end(), { static_cast<uint8_t>(0x44 | reg), 0x24, static_cast<uint8_t>(below(128)) });
            break;
        case 2: // base and index
            bytes.insert(bytes.end(),
                { static_cast<uint8_t>(0x44 | reg), static_cast<uint8_t>(below(4) << 6 | below(8) << 3 | Ebx),
                    static_cast<uint8_t>(below(128)) });
            break;
        default:
            bytes.push_back(static_cast<uint8_t>(reg | 5));
            addValue(address(), 4, bytes);
            break;
        }
        return true;
    }

    void addImmediate(Operand operand, unsigned operandSize, std::vector<uint8_t>& bytes)
    {
        switch (operand) {
        case Operand::Imm8:
        case Operand::Imm8Signed:
            addValue(below(4) ? below(32) : below(256), 1, bytes);
            break;
        case Operand::Imm16:
            addValue(below(65536), 2, bytes);
            break;
        case Operand::ImmV:
            addValue(below(3) ? address() : static_cast<uint32_t>(m_random()), operandSize, bytes);
            break;
        case Operand::Rel8: // forward over the next few bytes, wherever that lands
            addValue(below(12), 1, bytes);
            break;
        case Operand::RelV:
            addValue(below(40), operandSize, bytes);
            break;
        case Operand::Offset8:
        case Operand::OffsetV:
            addValue(address(), 4, bytes);
            break;
        default:
            break;
        }
    }

    static void addValue(uint32_t value, unsigned size, std::vector<uint8_t>& bytes)
    {
        for (; size > 0; --size, value >>= 8)
            bytes.push_back(static_cast<uint8_t>(value));
    }

    std::mt19937 m_random;
    const bool m_locks;
    std::vector<const InstructionEntry*> m_entries;
};

std::string inHex(const std::vector<uint8_t>& bytes)
{
    std::string text = ", code";
    for (const uint8_t byte : bytes)
        text += fmt::format(" {:02x}", byte);
    return text;
}

// What is not known to be defined when a stream ends is not compared: the flags that the manual leaves open, and those
// that were dead when the last fault came.
void prepare(TranslatorBench& bench, RandomStream& random, const std::vector<uint8_t>& bytes)
{
    bench.load(TranslatorBench::code, bytes);
    for (uint32_t offset = 0; offset < 0x8000; offset += 4)
        bench.put<uint32_t>(TranslatorBench::data + offset, random.below(0x80000000));
    bench.enablePaging();
    bench.setPage(TranslatorBench::data + 0x3000, 0); // not present
    bench.setPage(TranslatorBench::data + 0x5000, (TranslatorBench::data + 0x5000) | 1); // read-only, for everybody
    writeCr0(bench.cpu, bench.cpu.cr0 | cr0::writeProtect);
    for (unsigned reg = Eax; reg <= Edi; ++reg)
        if (reg != Esp)
            bench.cpu.gpr[reg] = random.address();
    bench.cpu.gpr[Ecx] = random.below(64);
    if (bench.cpu.isOneOfSeveral()) // the fast way from the first access on
        for (const uint32_t page : { 0u, 1u, 2u, 4u, 6u })
            bench.cpu.memory.write<uint8_t>(TranslatorBench::data + 0x1000 * page, 0x5a);
    bench.cpu.setEflags(random.below(2) ? eflags::arithmetic : 0u);
}

} // namespace

// Flat where the host has it.
enum class StreamForm { Tables, Flat, TablesOfOneOfTwo, FlatOfOneOfTwo };

class RandomStreams : public ::testing::TestWithParam<std::tuple<uint32_t, StreamForm>> { };

TEST_P(RandomStreams, EndAlike)
{
    constexpr unsigned streams = 100;
    const auto [firstSeed, form] = GetParam();
    const bool several = form == StreamForm::TablesOfOneOfTwo || form == StreamForm::FlatOfOneOfTwo;
    const bool flat = form == StreamForm::Flat || form == StreamForm::FlatOfOneOfTwo;
    const auto place = several ? TranslatorBench::Place::OneOfTwo : TranslatorBench::Place::Alone;
    const auto locks = several ? RandomStream::Locks::Some : RandomStream::Locks::None;
    unsigned finished = 0;
    for (uint32_t n = 0; n < streams; ++n) {
        const uint32_t seed = firstSeed * streams + n;
        RandomStream source(seed, locks);
        const std::vector<uint8_t> bytes = source.make(4 + source.below(24));
        RandomStream left(seed + 77, locks);
        RandomStream right(seed + 77, locks);
        TranslatorBench interpreted({}, place);
        TranslatorOptions options = TranslatorBench::eager();
        options.longestUnit = 1 + seed % 48;
        options.anyPageAtOnce = seed & 1;
        options.flat = flat && chooseMemoryForm(MemoryFormWish::Best).flat;
        TranslatorBench translated(options, place);
        prepare(interpreted, left, bytes);
        prepare(translated, right, bytes);
        const auto expected = interpreted.stepUntilHalt(TranslatorBench::code, 5000);
        if (!expected || interpreted.usedUndefinedFlags)
            continue; // a jump into the middle of an instruction has made a loop
        ASSERT_EQ(translated.runFrom(TranslatorBench::code), *expected) << "seed " << seed << inHex(bytes);
        if (*expected == Interpreter::Stop::TripleFault)
            continue; // nothing of the state is to be relied upon
        // A fault's frame holds EFLAGS, where dead and undefined flags may differ: it is at the top of the stack.
        if (interpreted.cpu.eip < TranslatorBench::code) {
            const bool withCode = interpreted.cpu.eip == TranslatorBench::handlerOf(14) + 1;
            const uint32_t image = interpreted.cpu.gpr[Esp] + (withCode ? 12 : 8);
            for (TranslatorBench* bench : { &interpreted, &translated })
                bench->put<uint32_t>(image, bench->get32(image) & ~eflags::arithmetic);
        } else {
            ++finished;
        }
        ASSERT_EQ(differenceOf(interpreted, translated, 0), "") << "seed " << seed << inHex(bytes);
        ASSERT_EQ(interpreted.counters.instructions.value(), translated.counters.instructions.value())
            << "seed " << seed << inHex(bytes);
    }
    EXPECT_GT(finished, streams / 100); // not all of them may end in faults
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomStreams,
    ::testing::Combine(::testing::Range(0u, 8u),
        ::testing::Values(
            StreamForm::Tables, StreamForm::Flat, StreamForm::TablesOfOneOfTwo, StreamForm::FlatOfOneOfTwo)));

} // namespace namsan
