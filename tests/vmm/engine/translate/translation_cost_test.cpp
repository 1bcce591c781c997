// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"
#include "vmm/engine/translate/memory_form_choice.h"
#include "vmm/engine/translate/native_operations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <set>

// What a translation costs: all of a real program's code is translated once, and none of it run.
namespace namsan {

namespace {

std::vector<uint8_t> codeOf(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes { std::istreambuf_iterator<char>(file), {} };
    Elf32_Ehdr header {};
    if (bytes.size() < sizeof header)
        return {};
    std::memcpy(&header, bytes.data(), sizeof header);
    for (size_t n = 0; n < header.e_phnum; ++n) {
        Elf32_Phdr segment;
        std::memcpy(&segment, bytes.data() + header.e_phoff + n * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X))
            return { bytes.begin() + segment.p_offset, bytes.begin() + segment.p_offset + segment.p_filesz };
    }
    return {};
}

// Where units begin: behind each that was ended, and where jumps go.
std::set<uint32_t> placesIn(const std::vector<uint8_t>& code, uint32_t start)
{
    std::set<uint32_t> places { 0 };
    Instruction instruction;
    for (uint32_t at = 0; TranslatorBench::sharedDecoder().decode(std::span(code).subspan(at), true, instruction)
         == Decoder::Outcome::Decoded;
         at += instruction.length) {
        const uint32_t next = at + instruction.length;
        const Operand operand = instruction.entry->operands[0];
        if (operand == Operand::Rel8 || operand == Operand::RelV)
            places.insert(next + instruction.immediate);
        if (endsUnit(instruction, isNative(instruction, 0)))
            places.insert(next);
    }
    std::erase_if(places, [&](uint32_t place) { return place >= code.size(); });
    std::set<uint32_t> moved;
    for (const uint32_t place : places)
        moved.insert(start + place);
    return moved;
}

struct Cost {
    double nanoseconds; // per instruction of the guest
    double bytes;
};

Cost costOfAll(const std::set<uint32_t>& places, const std::vector<uint8_t>& code, bool flat)
{
    TranslatorOptions options = TranslatorBench::eager();
    options.codeBytes = 64 << 20;
    options.flat = flat;
    TranslatorBench bench(options);
    bench.load(TranslatorBench::code, code);
    bench.attention.raise(Attention::Kick); // units are left where they are entered
    for (const uint32_t place : places) {
        bench.cpu.nextEip = place;
        EXPECT_NE(bench.translator->run(), Accelerator::Outcome::Faulted);
    }
    EXPECT_GT(bench.counters.unitsTranslated.value(), places.size() / 2);
    const auto instructions = static_cast<double>(bench.counters.instructionsTranslated.value());
    return { static_cast<double>(bench.counters.translatingNanoseconds.value()) / instructions,
        static_cast<double>(bench.counters.codeBytesEmitted.value()) / instructions };
}

} // namespace

class TranslationCostTest : public ::testing::TestWithParam<bool> { };

TEST_P(TranslationCostTest, IsLittleForEachInstruction)
{
    const bool flat = GetParam() && chooseMemoryForm(MemoryFormWish::Best).flat;
    const std::vector<uint8_t> code = codeOf(NAMSAN_NATIVE_RUNNER);
    ASSERT_GT(code.size(), 100'000u);
    const std::set<uint32_t> places = placesIn(code, TranslatorBench::code);
    Cost best = costOfAll(places, code, flat);
    // Others may be busy on this host, too.
    for (int round = 1; round < 5; ++round)
        best.nanoseconds = std::min(best.nanoseconds, costOfAll(places, code, flat).nanoseconds);
    RecordProperty("nanoseconds_per_instruction", std::to_string(best.nanoseconds));
    RecordProperty("bytes_per_instruction", std::to_string(best.bytes));
    EXPECT_LT(best.bytes, flat ? 36 : 48);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    // Wide enough for a host that does other things as well; what was measured is in the properties above.
    EXPECT_LT(best.nanoseconds, 450);
#endif
}

INSTANTIATE_TEST_SUITE_P(Forms, TranslationCostTest, ::testing::Bool(),
    [](const auto& info) { return info.param ? std::string("Flat") : std::string("Tlb"); });

} // namespace namsan
