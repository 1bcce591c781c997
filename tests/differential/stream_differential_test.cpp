// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/native_host.h"
#include "tests/differential/stream_comparison.h"
#include "tests/differential/stream_engine.h"
#include "tests/differential/stream_generator.h"
#include "tests/differential/stream_reduction.h"
#include "tests/differential/stream_settings.h"

#include <cstdio>
#include <fmt/format.h>
#include <gtest/gtest.h>

// Random streams of instructions in user mode: on the host CPU, on the interpreter and on the translator with
// everything translated at once, against what the interpreter's handlers do one by one.
namespace namsan {

namespace {

class StreamDifferential : public ::testing::Test {
protected:
    static constexpr auto kind = StreamWorld::Kind::Native;
    static constexpr size_t batchSize = 512;
    static constexpr unsigned mostReports = 5;

    void runAll()
    {
        const StreamSettings settings(300000);
        const uint64_t first = settings.firstSeed;
        const uint64_t wanted = settings.instructions;
        uint64_t seed = first;
        while (m_instructions < wanted && m_different < mostReports) {
            std::vector<RandomStream> streams;
            for (size_t n = 0; n < batchSize && m_instructions < wanted; ++n, ++seed)
                if (auto stream = m_generator.make(seed, StreamSettings::lengthOf(seed))) {
                    m_instructions += stream->path.size() - 1;
                    streams.push_back(*std::move(stream));
                } else {
                    ++m_dropped;
                }
            compare(streams);
        }
        std::printf("Seeds %llu to %llu: %llu streams with %llu instructions of %zu kinds (of %zu), %llu ended in a "
                    "fault, %llu more went round in circles; on host CPU, interpreter and translator.\n",
            as(first), as(seed - 1), as(m_streams), as(m_instructions), m_generator.entriesRun().size(),
            m_generator.entriesWanted(), as(m_faults), as(m_dropped));
    }

    StreamGenerator m_generator { kind };
    uint64_t m_streams = 0;
    uint64_t m_instructions = 0;
    uint64_t m_faults = 0;
    uint64_t m_dropped = 0;
    unsigned m_different = 0;

private:
    static unsigned long long as(uint64_t number) { return number; }

    void compare(const std::vector<RandomStream>& streams)
    {
        if (streams.empty())
            return;
        std::vector<NativeStream> onHost;
        for (const RandomStream& stream : streams)
            onHost.push_back(stream.before);
        const Result<void> ran = runOnHost(onHost);
        ASSERT_TRUE(ran) << ran.error().message << ", first seed " << streams.front().seed;

        // Units of all lengths: where one ends, flags and registers must be in their places.
        TranslatorOptions options;
        options.codeBytes = 8 << 20;
        options.hotAfter = 1;
        options.longestUnit = 1 + static_cast<unsigned>(streams.front().seed % UnitCollector::mostInstructions);
        const auto translator = StreamEngine::translator(kind, options);
        const StreamRunner host = [](std::span<NativeStream> some) { ASSERT_TRUE(runOnHost(some)); };
        for (size_t n = 0; n < streams.size(); ++n) {
            const RandomStream& stream = streams[n];
            ++m_streams;
            m_faults += stream.after.trap != 3;
            judge(stream, onHost[n], "the host CPU", host, 0);
            judge(stream, m_interpreter->run(stream.before), "soft:interpreter", on(*m_interpreter), 0);
            // Flags that nothing asked for any more are not kept for a fault.
            judge(stream, translator->run(stream.before), "soft:translator", on(*translator), eflags::arithmetic);
        }
        EXPECT_GT(translator->counters().unitsTranslated.value(), 0u);
    }

    static StreamRunner on(StreamEngine& engine)
    {
        return [&engine](std::span<NativeStream> some) {
            for (NativeStream& stream : some)
                stream = engine.run(stream);
        };
    }

    void judge(const RandomStream& stream, const NativeStream& end, std::string_view name, const StreamRunner& runner,
        uint32_t openAtFaults)
    {
        const std::string text
            = streamDifferences(stream, end, stream.after, stream.after.trap == 3 ? 0 : openAtFaults);
        if (text.empty())
            return;
        ++m_different;
        ADD_FAILURE() << "seed " << stream.seed << ": " << name
                      << " (called host) and the interpreter's handlers differ\n"
                      << text << reduceStream(stream, kind, name, runner, openAtFaults) << "All of it:\n"
                      << disassemblyOf(stream);
    }

    std::unique_ptr<StreamEngine> m_interpreter = StreamEngine::interpreter(kind);
};

TEST_F(StreamDifferential, StreamsEndAlikeOnHostInterpreterAndTranslator)
{
    runAll();
    EXPECT_GT(m_generator.entriesRun().size(), m_generator.entriesWanted() * 9 / 10);
    EXPECT_GT(m_faults, 0u);
    EXPECT_LT(m_dropped, m_streams / 4);
}

} // namespace

} // namespace namsan
