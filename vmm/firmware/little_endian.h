// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace namsan {

// A little-endian number within bytes; the caller has checked that it lies inside.
template <std::unsigned_integral T> T littleEndianAt(std::span<const uint8_t> bytes, size_t offset)
{
    T value;
    std::memcpy(&value, bytes.subspan(offset, sizeof value).data(), sizeof value);
    return value;
}

template <std::unsigned_integral T> void putLittleEndian(std::span<uint8_t> bytes, size_t offset, T value)
{
    std::memcpy(bytes.subspan(offset, sizeof value).data(), &value, sizeof value);
}

} // namespace namsan
