// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/stream_generator.h"

#include <functional>
#include <span>
#include <string>

namespace namsan {

// Runs each stream from the state before to the state after.
using StreamRunner = std::function<void(std::span<NativeStream>)>;

// Looks for the first instruction of a stream that the runner carries out in another way than the interpreter's
// handlers do, and tells of it: first each instruction alone, from the state in which the stream comes to it; then, as
// it may take more than one, the shortest beginning of the stream. alsoOpen: as in streamDifferences().
std::string reduceStream(
    const RandomStream&, StreamWorld::Kind, std::string_view runnerName, const StreamRunner&, uint32_t alsoOpen = 0);

// The instructions in the order in which they ran, each with its address and bytes.
std::string disassemblyOf(const RandomStream&);

} // namespace namsan
