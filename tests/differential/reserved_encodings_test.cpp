// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/case_generator.h"
#include "tests/differential/interpreted_host.h"
#include "tests/differential/native_host.h"
#include "tests/differential/outcome_comparison.h"
#include "vmm/engine/cpu_state.h"
#include "vmm/engine/interpret/fxsave_image.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

// Bytes that are no instruction, or that stretch one: the host CPU says which exception they deserve. What later
// processors made instructions of (VEX, EVEX, XSAVE and others) is left out: there the host is no judge.
namespace namsan {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t breakpoint = 3;
constexpr uint32_t invalidOpcode = 6;
constexpr uint32_t generalProtection = 13;

class ReservedEncodings : public ::testing::Test {
protected:
    // Runs each on both sides, with EBX at memory that may be read and written.
    void expect(const std::vector<Bytes>& encodings, uint32_t trap)
    {
        const InstructionEntry& any = generalInstructions().front();
        std::vector<NativeCase> cases;
        for (const Bytes& bytes : encodings) {
            NativeCase test = m_generator.make(any);
            std::fill(std::begin(test.code), std::end(test.code), uint8_t { 0xcc });
            std::copy(bytes.begin(), bytes.end(), test.code);
            test.before.gpr[Ebx] = nativeMemory + 512;
            auto& image = reinterpret_cast<FxsaveImage&>(test.before.fxsave);
            image.status &= static_cast<uint16_t>(~(x87_status::exceptions | x87_status::errorSummary));
            cases.push_back(test);
        }
        const Result<void> ran = runOnHost(cases);
        ASSERT_TRUE(ran) << ran.error().message;
        for (size_t i = 0; i < cases.size(); ++i) {
            const std::string bytes = fmt::format("{:02x}", fmt::join(encodings[i], " "));
            const Outcome outcome = m_interpreter.run(cases[i]);
            EXPECT_EQ(cases[i].trap, trap) << "host, " << bytes;
            EXPECT_EQ(outcome.trap, trap) << "interpreter, " << bytes;
            EXPECT_EQ(differences(any, cases[i], outcome), "") << bytes;
        }
    }

private:
    CaseGenerator m_generator { 20260102 };
    InterpretedHost m_interpreter;
};

TEST_F(ReservedEncodings, AreUndefined)
{
    expect({ { 0x0f, 0x04 }, { 0x0f, 0x0a }, { 0x0f, 0x0c }, { 0x0f, 0x24, 0xc0 }, { 0x0f, 0x26, 0xc0 }, { 0x0f, 0x36 },
               { 0x0f, 0x39 }, { 0x0f, 0x3b }, { 0x0f, 0x3f }, { 0x0f, 0x7a, 0xc0 }, { 0x0f, 0xa6, 0xc0 },
               { 0x0f, 0xa7, 0xc0 }, { 0x0f, 0x0b }, { 0x0f, 0xb9, 0xc0 }, { 0x0f, 0xff, 0xc0 }, { 0x0f, 0xaa },
               { 0x0f, 0x00, 0xf0 }, { 0x0f, 0x00, 0xf8 }, { 0x0f, 0xba, 0xc0 }, { 0x0f, 0xba, 0x1b },
               { 0x0f, 0xc7, 0x03 }, { 0x0f, 0xc7, 0xc8 }, { 0x0f, 0x71, 0xc0 }, { 0x0f, 0x71, 0x13 },
               { 0x0f, 0x73, 0xd8 }, { 0xfe, 0xd0 }, { 0xfe, 0x3b }, { 0xff, 0xf8 }, { 0xff, 0x3b }, { 0xff, 0xd8 },
               { 0xff, 0xe8 }, { 0xc6, 0xc8, 0 }, { 0xc7, 0x0b, 0, 0, 0, 0 }, { 0x8d, 0xc0 }, { 0x0f, 0xb2, 0xc0 },
               { 0x0f, 0xc3, 0xc0 }, { 0x66, 0x0f, 0xc3, 0x03 }, { 0xf2, 0x0f, 0x38, 0x00, 0x03 },
               { 0x0f, 0x38, 0x10, 0xc1 }, { 0x0f, 0x3a, 0x08, 0xc1, 0 }, { 0x66, 0x0f, 0x38, 0x0c, 0xc1 } },
        invalidOpcode);
}

TEST_F(ReservedEncodings, OfX87AreUndefined)
{
    expect({ { 0xd9, 0x0b }, { 0xd9, 0xd1 }, { 0xd9, 0xd7 }, { 0xd9, 0xe2 }, { 0xd9, 0xe3 }, { 0xd9, 0xe6 },
               { 0xd9, 0xe7 }, { 0xd9, 0xef }, { 0xda, 0xe0 }, { 0xda, 0xe8 }, { 0xda, 0xea }, { 0xda, 0xf0 },
               { 0xda, 0xff }, { 0xdb, 0x23 }, { 0xdb, 0x33 }, { 0xdb, 0xe5 }, { 0xdb, 0xe7 }, { 0xdb, 0xf8 },
               { 0xdd, 0x2b }, { 0xdd, 0xf0 }, { 0xdd, 0xff }, { 0xde, 0xd8 }, { 0xde, 0xda }, { 0xde, 0xdf },
               { 0xdf, 0xe1 }, { 0xdf, 0xe7 }, { 0xdf, 0xf8 } },
        invalidOpcode);
}

TEST_F(ReservedEncodings, LockIsUndefinedWhereNothingIsLocked)
{
    expect({ { 0xf0, 0x90 }, { 0xf0, 0x8b, 0x03 }, { 0xf0, 0x89, 0x03 }, { 0xf0, 0x01, 0xc3 }, { 0xf0, 0x03, 0x03 },
               { 0xf0, 0x39, 0x03 }, { 0xf0, 0x85, 0x03 }, { 0xf0, 0x0f, 0xa2 }, { 0xf0, 0x0f, 0xa3, 0x03 },
               { 0xf0, 0x0f, 0x58, 0x03 }, { 0xf0, 0x0f, 0x38, 0x00, 0x03 }, { 0xf0, 0xd8, 0x03 }, { 0xf0, 0xf4 },
               { 0xf0, 0xe9, 0, 0, 0, 0 }, { 0xf0, 0xc1, 0x03, 1 }, { 0xf0, 0x0f, 0x0b }, { 0xf0, 0xa5 },
               { 0xf0, 0x0f, 0x1f, 0x03 }, { 0xf0, 0x0f, 0xaf, 0x03 }, { 0xf0, 0x87, 0xc3 }, { 0xf0, 0x6a, 0x01 } },
        invalidOpcode);
}

TEST_F(ReservedEncodings, MoreThanFifteenBytesAreForbidden)
{
    std::vector<Bytes> tooLong, justRight;
    for (const uint8_t prefix : Bytes { 0x66, 0xf2, 0xf3, 0x2e, 0x3e, 0x26 }) {
        Bytes pile(14, prefix);
        pile.insert(pile.end(), { 0x01, 0x03 }); // add [ebx],eax
        tooLong.push_back(pile);
        pile.erase(pile.begin());
        justRight.push_back(pile);
    }
    expect(tooLong, generalProtection);
    expect(justRight, breakpoint);
}

} // namespace

} // namespace namsan
