// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/interesting_values.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace namsan {

uint32_t InterestingValues::integer32()
{
    constexpr std::array<uint32_t, 16> corners { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
        0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0xffffff80 };
    switch (below(4)) {
    case 0:
        return corners[below(corners.size())];
    case 1:
        return below(256) - 128;
    default:
        return static_cast<uint32_t>(any());
    }
}

uint64_t InterestingValues::integer64()
{
    switch (below(4)) {
    case 0:
        return uint64_t { 1 } << below(64);
    case 1:
        return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(integer32())));
    default:
        return uint64_t { integer32() } << 32 | integer32();
    }
}

uint32_t InterestingValues::single()
{
    constexpr std::array<uint32_t, 16> corners { 0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
        0x7fc00000, 0xffc12345, 0x7f800001, 0xffa00000, 0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff, 0x4f000000,
        0x3f000000 };
    switch (below(4)) {
    case 0:
        return corners[below(corners.size())];
    case 1: { // moderate, so that sums and products of them are too
        const uint32_t exponent = 0x7f - 24 + below(48);
        return static_cast<uint32_t>(any() & 0x807fffff) | exponent << 23;
    }
    case 2: { // few bits, so that results are exact or ties
        const float value = static_cast<float>(static_cast<int32_t>(below(4096)) - 2048) / 8;
        uint32_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        return bits;
    }
    default:
        return static_cast<uint32_t>(any());
    }
}

uint64_t InterestingValues::real64()
{
    constexpr std::array<uint64_t, 16> corners { 0, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
        0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8123456789abc, 0x7ff0000000000001,
        0xfff4000000000000, 0x0000000000000001, 0x800fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff,
        0x41e0000000000000, 0x3690000000000000 };
    switch (below(4)) {
    case 0:
        return corners[below(corners.size())];
    case 1: {
        const uint64_t exponent = 0x3ff - 60 + below(120);
        return (any() & 0x800fffffffffffff) | exponent << 52;
    }
    case 2: {
        const double value = (static_cast<double>(below(65536)) - 32768) / 16;
        uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        return bits;
    }
    default:
        return any();
    }
}

Register80 InterestingValues::extended()
{
    constexpr uint64_t one = 0x8000000000000000;
    const auto sign = static_cast<uint16_t>(oneIn(2) ? 0x8000 : 0);
    const auto with = [sign](uint64_t significand, uint32_t exponent) {
        return Register80 { significand, static_cast<uint16_t>(sign | exponent), {} };
    };
    switch (below(16)) {
    case 0:
        return with(0, 0);
    case 1:
        return with(one, 0x7fff); // infinity
    case 2:
        return with(any() | 0xc000000000000000, 0x7fff); // quiet NaN
    case 3:
        return with((any() & 0x3fffffffffffffff) | one | 1, 0x7fff); // signalling NaN
    case 4:
        return with(any() & 0x7fffffffffffffff, 0); // denormal
    case 5:
        return with(any() | one, 0); // pseudo-denormal
    case 6:
        return with(any() & 0x7fffffffffffffff, below(0x7fff) + 1); // unnormal, pseudo-NaN, pseudo-infinity
    case 7:
        return with(one, 0x3fff + below(4) - 2);
    case 8:
    case 9: // a small integer
        return with(uint64_t { below(256) | 128 } << 56, 0x3fff + below(10));
    case 10: // about as large as the integer formats
        return with(any() | one, 0x3fff + 12 + below(56));
    case 11:
        return with(any() | one, below(0x7fff));
    case 12: // at the edges of the exponent
        return with(any() | one, oneIn(2) ? 1 + below(70) : 0x7ffe - below(70));
    default:
        return with(any() | one, 0x3fff - 20 + below(40));
    }
}

Register80 InterestingValues::decimal()
{
    std::array<uint8_t, 16> bytes {};
    for (size_t i = 0; i < 9; ++i)
        bytes[i] = static_cast<uint8_t>(below(10) << 4 | below(10));
    bytes[9] = oneIn(2) ? 0x80 : 0;
    Register80 value;
    std::memcpy(static_cast<void*>(&value), bytes.data(), bytes.size());
    return value;
}

template <class T> void InterestingValues::fillWith(std::span<uint8_t> bytes, size_t size, T next)
{
    for (size_t at = 0; at < bytes.size(); at += size) {
        const auto value = next();
        std::memcpy(&bytes[at], &value, std::min(size, bytes.size() - at));
    }
}

void InterestingValues::fill(std::span<uint8_t> bytes)
{
    switch (below(6)) {
    case 0:
        return fillWith(bytes, 4, [this] { return integer32(); });
    case 1:
        return fillWith(bytes, 8, [this] { return integer64(); });
    case 2:
        return fillWith(bytes, 4, [this] { return single(); });
    case 3:
        return fillWith(bytes, 8, [this] { return real64(); });
    case 4:
        return fillWith(bytes, 16, [this] { return oneIn(4) ? decimal() : extended(); });
    default:
        return fillWith(bytes, 8, [this] { return any(); });
    }
}

} // namespace namsan
