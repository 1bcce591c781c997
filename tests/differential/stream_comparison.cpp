// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/stream_comparison.h"

#include "tests/differential/outcome_comparison.h"
#include "vmm/engine/interpret/fxsave_image.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace namsan {

namespace {

const FxsaveImage& image(const NativeStream& stream)
{
    return reinterpret_cast<const FxsaveImage&>(stream.fxsave);
}

bool sameFloatingPoint(const NativeStream& left, const NativeStream& right)
{
    const FxsaveImage& a = image(left);
    const FxsaveImage& b = image(right);
    if (a.control != b.control || a.status != b.status || a.validTags != b.validTags || a.mxcsr != b.mxcsr)
        return false;
    for (size_t i = 0; i < a.st.size(); ++i)
        if (a.st[i].significand != b.st[i].significand || a.st[i].signExponent != b.st[i].signExponent)
            return false;
    return std::memcmp(a.xmm.data(), b.xmm.data(), sizeof a.xmm) == 0;
}

bool same(const NativeStream& left, const NativeStream& right)
{
    return std::equal(left.gpr, left.gpr + 8, right.gpr) && left.eip == right.eip && left.eflags == right.eflags
        && left.trap == right.trap && left.errorCode == right.errorCode && left.cr2 == right.cr2
        && sameFloatingPoint(left, right) && std::memcmp(left.memory, right.memory, sizeof left.memory) == 0;
}

NativeState registersOf(const RandomStream& stream, const NativeStream& end, uint32_t alsoOpen)
{
    NativeState state {};
    std::copy_n(end.gpr, 8, state.gpr);
    state.eip = end.eip;
    state.eflags = end.eflags & ~(stream.flags.undefined() | alsoOpen);
    std::memcpy(state.fxsave, end.fxsave, sizeof state.fxsave);
    if (stream.flags.x87C1IsOpen())
        reinterpret_cast<FxsaveImage&>(state.fxsave).status &= static_cast<uint16_t>(~x87_status::c1);
    return state;
}

} // namespace

std::string streamDifferences(
    const RandomStream& stream, const NativeStream& host, const NativeStream& engine, uint32_t alsoOpen)
{
    if (same(host, engine))
        return {};
    // The comparison of single instructions knows what else hosts differ in.
    NativeCase left {};
    left.after = registersOf(stream, host, alsoOpen);
    left.trap = host.trap;
    left.errorCode = host.errorCode;
    left.cr2 = host.cr2;
    const Outcome right { registersOf(stream, engine, alsoOpen), engine.trap, engine.errorCode, engine.cr2, 0, 0 };
    static const InstructionEntry nothing {};
    std::string text = differences(stream.last ? *stream.last : nothing, left, right);
    if (!text.empty())
        return text;
    for (uint32_t i = 0; i < nativeStreamMemoryBytes; ++i)
        if (host.memory[i] != engine.memory[i])
            text += fmt::format("  memory at {:x}: host {:02x}, interpreter {:02x}\n", nativeStreamMemory + i,
                host.memory[i], engine.memory[i]);
    return text;
}

std::string systemDifferences(const NativeStream& left, const NativeStream& right)
{
    std::string text;
    for (uint32_t i = 0; i < nativeStreamCodeBytes; ++i)
        if (left.code[i] != right.code[i])
            text += fmt::format(
                "  code at {:x}: {:02x} and {:02x}\n", left.codeAddress + i, left.code[i], right.code[i]);
    for (unsigned index = Es; index <= Gs; ++index)
        if (left.selectors[index] != right.selectors[index])
            text += fmt::format(
                "  segment register {}: {:x} and {:x}\n", index, left.selectors[index], right.selectors[index]);
    return text;
}

} // namespace namsan
