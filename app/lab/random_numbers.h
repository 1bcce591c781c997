// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

namespace namsan {

// Random numbers that are the same for the same seed on every machine; those of <random> are only as far as the
// engines go, and not the distributions. SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
// Generators", OOPSLA 2014, figure 17.
class RandomNumbers {
public:
    explicit RandomNumbers(uint64_t seed)
        : m_state(seed)
    {
    }

    uint64_t next()
    {
        m_state += 0x9e3779b97f4a7c15;
        uint64_t mixed = m_state;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

    // 0 to limit - 1. The bias of multiplying instead of refusing is below 2^-32 for what is shuffled here.
    size_t below(size_t limit) { return static_cast<size_t>(((next() >> 32) * limit) >> 32); }

    // From 0 up to, but not including, 1.
    double fraction() { return static_cast<double>(next() >> 11) * 0x1p-53; }

private:
    uint64_t m_state;
};

} // namespace namsan
