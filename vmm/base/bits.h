// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace namsan {

// Bit n of a value.
template <std::unsigned_integral T> constexpr bool bit(T value, unsigned n)
{
    return (value >> n) & 1;
}

// Bits low..low+count-1 of a value, moved down to bit 0.
template <std::unsigned_integral T> constexpr T bits(T value, unsigned low, unsigned count)
{
    return static_cast<T>((value >> low) & ((uint64_t { 1 } << count) - 1));
}

// value with bit n set or cleared.
template <std::unsigned_integral T> constexpr T withBit(T value, unsigned n, bool on)
{
    const T mask = static_cast<T>(T { 1 } << n);
    return static_cast<T>(on ? (value | mask) : (value & ~mask));
}

// Rounds up or down to a multiple of a power of two.
constexpr uint64_t alignUp(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}
constexpr uint64_t alignDown(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

} // namespace namsan
