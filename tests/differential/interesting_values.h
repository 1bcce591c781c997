// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/native_case.h"
#include "vmm/engine/interpret/fxsave_image.h"

#include <cstdint>
#include <random>
#include <span>

namespace namsan {

// Random operands with a liking for corners: 0, 1, -1, the signs' edges; for reals also infinities, NaNs of both kinds,
// denormals, and the 80-bit formats that no processor since the 80387 supports.
class InterestingValues {
public:
    explicit InterestingValues(uint64_t seed)
        : m_random(seed)
    {
    }

    uint64_t any() { return m_random(); }
    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(m_random() % limit); }
    bool oneIn(uint32_t n) { return below(n) == 0; }

    uint32_t integer32();
    uint64_t integer64();
    uint32_t single();
    uint64_t real64();
    Register80 extended();
    Register80 decimal(); // packed BCD

    // Fills memory or a register with numbers of one kind, chosen at random.
    void fill(std::span<uint8_t> bytes);

private:
    template <class T> void fillWith(std::span<uint8_t> bytes, size_t size, T next);

    std::mt19937_64 m_random;
};

} // namespace namsan
