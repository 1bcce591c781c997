// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace namsan {

// value * multiplier / divisor with a 128-bit product, rounded down; the result must fit: for turning counts of one
// frequency into counts of another without losing ticks over years.
constexpr uint64_t multiplyDivide(uint64_t value, uint64_t multiplier, uint64_t divisor)
{
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>(static_cast<Wide>(value) * multiplier / divisor);
}

} // namespace namsan
