// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/stream_generator.h"

#include <string>

namespace namsan {

// What two engines have left differently in code and segment registers, in words; empty if nothing.
std::string systemDifferences(const NativeStream& left, const NativeStream& right);

// What differs between two ends of a stream, in words; empty if nothing does. Left out is what the manual leaves open,
// and the arithmetic flags in alsoOpen.
std::string streamDifferences(
    const RandomStream&, const NativeStream& host, const NativeStream& engine, uint32_t alsoOpen = 0);

} // namespace namsan
