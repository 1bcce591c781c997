// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/stream_comparison.h"
#include "tests/differential/stream_engine.h"
#include "tests/differential/stream_generator.h"
#include "tests/differential/stream_reduction.h"
#include "tests/differential/stream_settings.h"
#include "vmm/engine/translate/memory_form_choice.h"

#include <cstdio>
#include <gtest/gtest.h>

// Random streams under a kernel, which meet page faults that it puts right, load segments, reach across pages and write
// into their own code: the interpreter and the translator with everything translated at once, against what the
// interpreter's handlers do one by one.
namespace namsan {

namespace {

class SystemStreams : public ::testing::Test {
protected:
    static constexpr auto kind = StreamWorld::Kind::System;
    static constexpr unsigned mostReports = 5;
    static constexpr unsigned streamsPerTranslator = 256;

    void runAll()
    {
        const StreamSettings settings(100000);
        uint64_t seed = settings.firstSeed;
        std::unique_ptr<StreamEngine> translator;
        for (; settings.goOnAfter(m_instructions) && m_different < mostReports; ++seed) {
            const auto stream = m_generator.make(seed, StreamSettings::lengthOf(seed));
            if (!stream) {
                ++m_dropped;
                continue;
            }
            if (m_streams++ % streamsPerTranslator == 0)
                translator = translatorFor(seed);
            m_instructions += stream->path.size() - 1;
            judge(*stream, *m_interpreter, "soft:interpreter");
            judge(*stream, *translator, "soft:translator");
        }
        std::printf("Seeds %llu to %llu: %llu streams with %llu instructions, %llu page faults put right, %llu stores "
                    "into code, %llu more went round in circles; on interpreter and translator.\n",
            as(settings.firstSeed), as(seed - 1), as(m_streams), as(m_instructions),
            as(m_interpreter->counters().pageFaults.value()), as(m_interpreter->counters().codeInvalidations.value()),
            as(m_dropped));
    }

    std::unique_ptr<StreamEngine> m_interpreter = StreamEngine::interpreter(kind);
    uint64_t m_streams = 0;
    uint64_t m_instructions = 0;
    uint64_t m_dropped = 0;
    unsigned m_different = 0;

private:
    static unsigned long long as(uint64_t number) { return number; }

    // Units of all lengths: where one ends, flags and registers must be in their places. Both forms of memory by turns,
    // where the host can serve both.
    static std::unique_ptr<StreamEngine> translatorFor(uint64_t seed)
    {
        TranslatorOptions options;
        options.codeBytes = 8 << 20;
        options.hotAfter = 1;
        options.longestUnit = 1 + static_cast<unsigned>(seed % UnitCollector::mostInstructions);
        if (seed / streamsPerTranslator % 2 == 0)
            options.flat = chooseMemoryForm(MemoryFormWish::Best).flat;
        return StreamEngine::translator(kind, options);
    }

    void judge(const RandomStream& stream, StreamEngine& engine, std::string_view name)
    {
        // Flags that nothing asked for any more are not kept for a fault, nor for code that is written over.
        const uint32_t dead = name == "soft:translator" ? eflags::arithmetic : 0u;
        const NativeStream end = engine.run(stream.before);
        std::string text = streamDifferences(
            stream, end, stream.after, stream.after.trap == 3 ? dead & stream.flags.ofOldCode() : dead);
        if (text.empty())
            text = systemDifferences(end, stream.after);
        if (text.empty())
            return;
        ++m_different;
        const StreamRunner runner = [&engine](std::span<NativeStream> some) {
            for (NativeStream& one : some)
                one = engine.run(one);
        };
        ADD_FAILURE() << "seed " << stream.seed << ": " << name
                      << " (called host) and the interpreter's handlers differ\n"
                      << text << reduceStream(stream, kind, name, runner, dead) << "All of it:\n"
                      << disassemblyOf(stream);
    }

    StreamGenerator m_generator { kind };
};

TEST_F(SystemStreams, EndAlikeOnInterpreterAndTranslator)
{
    runAll();
    EXPECT_GT(m_interpreter->counters().pageFaults.value(), 0u);
    EXPECT_GT(m_interpreter->counters().codeInvalidations.value(), 0u);
    EXPECT_LT(m_dropped, m_streams);
}

} // namespace

} // namespace namsan
