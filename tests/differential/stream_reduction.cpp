// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/stream_reduction.h"

#include "tests/differential/stepped_processor.h"
#include "tests/differential/stream_comparison.h"
#include "vmm/engine/interpret/fxsave_image.h"

#include <Zydis/Zydis.h>
#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <set>

namespace namsan {

namespace {

std::string lineOf(const RandomStream& stream, uint32_t eip)
{
    const uint32_t at = eip - stream.before.codeAddress;
    ZydisDisassembledInstruction instruction;
    const size_t room = std::min<size_t>(Decoder::longestInstruction, nativeStreamCodeBytes - at);
    const bool known = ZYAN_SUCCESS(
        ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LEGACY_32, eip, stream.before.code + at, room, &instruction));
    const size_t length = known ? instruction.info.length : 8;
    std::string bytes;
    for (size_t n = 0; n < length; ++n)
        bytes += fmt::format("{:02x} ", stream.before.code[at + n]);
    return fmt::format("  {:08x}  {:<36}{}\n", eip, bytes, known ? instruction.text : "?");
}

// One stream for each step of another: the instruction alone, or everything up to it; and what the handlers made of it.
struct Trial {
    RandomStream stream;
    uint32_t eip;
};

void endAt(NativeStream& stream, uint32_t eip)
{
    stream.code[eip - stream.codeAddress] = 0xcc;
}

class Retracing {
public:
    Retracing(const RandomStream& stream, StreamWorld::Kind kind)
        : m_stream(stream)
        , m_stepped(std::make_unique<SteppedProcessor>(kind))
    {
    }

    void run()
    {
        m_stepped->world.putCode(m_stream.before);
        m_stepped->load(m_stream.before);
        std::set<uint32_t> visited;
        const bool faults = m_stream.after.trap != 3;
        for (size_t n = 0; n < m_stream.path.size() - (faults ? 0 : 1); ++n)
            step(m_stream.path[n], visited);
    }

    std::vector<Trial> alone, beginnings;

private:
    void step(uint32_t eip, std::set<uint32_t>& visited)
    {
        const uint32_t at = eip - m_stream.before.codeAddress;
        RandomStream one = m_stream;
        m_stepped->take(one.before);
        std::memset(one.before.code, 0xcc, sizeof one.before.code);
        const uint8_t* code = m_stepped->world.memory().host(eip); // as it is now
        Instruction instruction;
        const size_t room = std::min<size_t>(16, nativeStreamCodeBytes - at);
        m_stepped->decode({ code, room }, instruction);
        std::copy_n(code, instruction.length, one.before.code + at);
        one.before.pageRights = 0;
        const std::optional<Fault> fault = m_stepped->execute(instruction);
        m_stepped->take(one.after);
        noteEnd(fault, m_stepped->cpu, one.after);
        one.before.endsAt = m_stepped->cpu.eip;
        if (!fault)
            endAt(one.before, m_stepped->cpu.eip);
        m_flags.ran(instruction);
        one.flags = m_flags;
        one.last = instruction.entry;
        alone.push_back({ one, eip });

        visited.insert(eip);
        if (fault || visited.contains(m_stepped->cpu.eip))
            return;
        one.before = m_stream.before;
        one.before.endsAt = m_stepped->cpu.eip;
        endAt(one.before, m_stepped->cpu.eip);
        beginnings.push_back({ one, eip });
    }

    const RandomStream& m_stream;
    std::unique_ptr<SteppedProcessor> m_stepped;
    DefinedFlags m_flags;
};

std::string stateText(const NativeStream& state)
{
    const auto& fpu = reinterpret_cast<const FxsaveImage&>(state.fxsave);
    std::string text = "  before:";
    for (const uint32_t value : state.gpr)
        text += fmt::format(" {:08x}", value);
    return text
        + fmt::format(" EFLAGS {:x} FCW {:x} FSW {:x} tags {:02x} MXCSR {:x}\n", state.eflags, fpu.control, fpu.status,
            fpu.validTags, fpu.mxcsr);
}

// The first trial with a difference, in words.
std::string firstDifference(const std::vector<Trial>& trials, const StreamRunner& runner, uint32_t alsoOpen)
{
    std::vector<NativeStream> streams;
    for (const Trial& trial : trials)
        streams.push_back(trial.stream.before);
    runner(streams);
    for (size_t n = 0; n < trials.size(); ++n) {
        const uint32_t open = streams[n].trap == 3 ? 0 : alsoOpen;
        const std::string text = streamDifferences(trials[n].stream, streams[n], trials[n].stream.after, open);
        if (!text.empty())
            return fmt::format("instruction {} of {}:\n", n + 1, trials.size())
                + lineOf(trials[n].stream, trials[n].eip) + stateText(trials[n].stream.before) + text;
    }
    return {};
}

} // namespace

std::string reduceStream(const RandomStream& stream, StreamWorld::Kind kind, std::string_view runnerName,
    const StreamRunner& runner, uint32_t alsoOpen)
{
    Retracing retracing(stream, kind);
    retracing.run();
    if (const std::string text = firstDifference(retracing.alone, runner, alsoOpen); !text.empty())
        return fmt::format("On {} alone as well (called host below), {}", runnerName, text);
    if (const std::string text = firstDifference(retracing.beginnings, runner, alsoOpen); !text.empty())
        return fmt::format("On {} (called host below) only together with what comes before it, {}", runnerName, text);
    return fmt::format("On {} no beginning of the stream differs.\n", runnerName);
}

std::string disassemblyOf(const RandomStream& stream)
{
    std::string text;
    for (const uint32_t eip : stream.path)
        text += lineOf(stream, eip);
    return text;
}

} // namespace namsan
