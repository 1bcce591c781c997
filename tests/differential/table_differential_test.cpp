// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/case_generator.h"
#include "tests/differential/native_host.h"
#include "tests/differential/outcome_comparison.h"
#include "tests/differential/translated_host.h"
#include "vmm/engine/translate/memory_form_choice.h"

#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <utility>

// Every entry of the instruction table that user mode can run, against the host CPU itself: interpreted, and where the
// translator does it itself, translated in both memory forms.
//
// NAMSAN_DIFFERENTIAL_CASES (cases for each entry) and NAMSAN_DIFFERENTIAL_SEED change the default run, which is the
// same each time.
namespace namsan {

namespace {

uint64_t setting(const char* name, uint64_t otherwise)
{
    const char* value = std::getenv(name);
    return value ? std::strtoull(value, nullptr, 0) : otherwise;
}

std::string nameOf(const InstructionEntry& entry)
{
    std::string bytes;
    for (const char byte : escapeOf(entry.map))
        bytes += fmt::format("{:02x} ", static_cast<uint8_t>(byte));
    return fmt::format("{} ({}{:02x}{})", entry.mnemonic, bytes, entry.opcode,
        entry.extension >= 0 ? fmt::format(" /{}", entry.extension) : "");
}

std::string hexOf(const NativeCase& test, unsigned bytes = 12)
{
    std::string text;
    for (unsigned i = 0; i < bytes; ++i)
        text += fmt::format("{:02x} ", test.code[i]);
    return text;
}

class TableDifferential : public ::testing::Test {
protected:
    static constexpr size_t batchSize = 2048;
    static constexpr unsigned reportedPerEntry = 2;

    // Compares all testable entries of one part of the table.
    void compare(std::span<const InstructionEntry> entries)
    {
        const uint64_t casesPerEntry = setting("NAMSAN_DIFFERENTIAL_CASES", 150);
        for (const InstructionEntry& entry : entries) {
            if (!(entry.attributes & attribute::userTestable) || !m_host.has(entry.feature))
                continue;
            m_runs.try_emplace(&entry, Tally {});
            for (uint64_t i = 0; i < casesPerEntry; ++i) {
                m_cases.push_back(m_generator.make(entry));
                m_entries.push_back(&entry);
                if (m_cases.size() == batchSize)
                    finishBatch();
            }
        }
        finishBatch();
        for (const auto& [entry, tally] : m_runs)
            EXPECT_GT(tally.completed, 0u)
                << nameOf(*entry) << " never ran to its end on both sides (" << tally.tried << " cases)";
        EXPECT_FALSE(m_runs.empty());
        uint64_t translated = 0;
        for (const auto& [entry, tally] : m_runs)
            translated += tally.translated > 0;
        std::printf("%zu encodings, %llu of them in translated form as well\n", m_runs.size(),
            static_cast<unsigned long long>(translated));
    }

private:
    struct Tally {
        uint64_t tried = 0;
        uint64_t completed = 0;
        uint64_t translated = 0; // in all forms together
        uint64_t different = 0;
    };

    void finishBatch()
    {
        if (m_cases.empty())
            return;
        const Result<void> ran = runOnHost(m_cases);
        ASSERT_TRUE(ran) << ran.error().message;
        for (size_t i = 0; i < m_cases.size(); ++i)
            compareCase(*m_entries[i], m_cases[i]);
        m_cases.clear();
        m_entries.clear();
    }

    void compareCase(const InstructionEntry& entry, const NativeCase& test)
    {
        Tally& tally = m_runs[&entry];
        ++tally.tried;
        ASSERT_TRUE(test.done) << hexOf(test);
        const InstructionEntry* decoded = m_interpreter.decode(test);
        ASSERT_EQ(decoded, &entry) << nameOf(entry) << " is decoded as " << decoded->mnemonic << ": " << hexOf(test);
        const Outcome outcome = m_interpreter.run(test);
        if (judge(entry, test, outcome, "interpreted"))
            tally.completed += outcome.trap == 3;
        for (const auto& [host, form] :
            { std::pair(&m_tlb, "translated, tlb"), std::pair(m_flat.get(), "translated, flat") })
            if (const auto translated = host ? host->run(test) : std::nullopt) {
                ++tally.translated;
                judge(entry, test, *translated, form);
            }
    }

    bool judge(const InstructionEntry& entry, const NativeCase& test, const Outcome& outcome, const char* form)
    {
        const std::string text = differences(entry, test, outcome);
        if (!text.empty() && m_runs[&entry].different++ < reportedPerEntry)
            ADD_FAILURE() << nameOf(entry) << ", " << form << ": " << hexOf(test) << "with seed " << m_seed << "\n"
                          << text << stateBefore(test);
        return text.empty();
    }

    static std::string stateBefore(const NativeCase& test)
    {
        const auto& image = reinterpret_cast<const FxsaveImage&>(test.before.fxsave);
        std::string text = "  before:";
        for (const uint32_t value : test.before.gpr)
            text += fmt::format(" {:08x}", value);
        text += fmt::format(" EFLAGS {:x} FCW {:x} FSW {:x} tags {:02x} MXCSR {:x}", test.before.eflags, image.control,
            image.status, image.validTags, image.mxcsr);
        for (const Register80& value : image.st)
            text += fmt::format(" {:04x}:{:016x}", value.signExponent, value.significand);
        return text;
    }

    const uint64_t m_seed = setting("NAMSAN_DIFFERENTIAL_SEED", 20260101);
    const FeatureSet m_host = FeatureSet::ofHost();
    CaseGenerator m_generator { m_seed };
    InterpretedHost m_interpreter;
    TranslatedHost m_tlb { false };
    std::unique_ptr<TranslatedHost> m_flat // where the host has it
        = chooseMemoryForm(MemoryFormWish::Best).flat ? std::make_unique<TranslatedHost>(true) : nullptr;
    std::vector<NativeCase> m_cases;
    std::vector<const InstructionEntry*> m_entries;
    std::map<const InstructionEntry*, Tally> m_runs;
};

TEST_F(TableDifferential, GeneralInstructionsDoWhatTheHostDoes)
{
    compare(generalInstructions());
}

TEST_F(TableDifferential, X87InstructionsDoWhatTheHostDoes)
{
    compare(x87Instructions());
}

TEST_F(TableDifferential, SimdInstructionsDoWhatTheHostDoes)
{
    compare(simdInstructions());
}

TEST_F(TableDifferential, LaterSimdInstructionsDoWhatTheHostDoes)
{
    compare(laterSimdInstructions());
}

} // namespace

} // namespace namsan
