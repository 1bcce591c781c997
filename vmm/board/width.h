// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace namsan {

// How much one bus cycle moves; the value is the number of bytes.
enum class Width : uint8_t {
    Byte = 1,
    Word = 2,
    Dword = 4,
};

constexpr unsigned bytesOf(Width width)
{
    return static_cast<unsigned>(width);
}

// What a read of nothing gives: the bus floats high.
constexpr uint32_t allOnes(Width width)
{
    return width == Width::Dword ? 0xffffffffu : (1u << (8 * bytesOf(width))) - 1;
}

} // namespace namsan
