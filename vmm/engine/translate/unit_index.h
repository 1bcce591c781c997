// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace namsan {

struct TranslatedUnit;

// Units by a number. It is asked for every place that an address space comes to for the first time, most often with
// nothing of it in the host's caches: so what is asked for lies where its number says, or right behind.
class UnitIndex {
public:
    UnitIndex() { clear(); }

    TranslatedUnit* find(uint64_t key) const
    {
        for (size_t n = placeOf(key);; n = next(n))
            if (m_slots[n].key == key || !m_slots[n].unit)
                return m_slots[n].unit;
    }

    // Replaces what was there.
    void put(uint64_t key, TranslatedUnit& unit)
    {
        if (2 * m_count >= m_slots.size())
            grow();
        size_t n = placeOf(key);
        while (m_slots[n].unit && m_slots[n].key != key)
            n = next(n);
        m_count += m_slots[n].unit ? 0 : 1;
        m_slots[n] = { key, &unit };
    }

    void erase(uint64_t key)
    {
        size_t hole = placeOf(key);
        while (m_slots[hole].unit && m_slots[hole].key != key)
            hole = next(hole);
        if (!m_slots[hole].unit)
            return;
        --m_count;
        // What lies behind and was pushed there by what is gone moves up.
        for (size_t n = next(hole); m_slots[n].unit; n = next(n)) {
            const size_t wanted = placeOf(m_slots[n].key);
            if (((n - wanted) & (m_slots.size() - 1)) < ((n - hole) & (m_slots.size() - 1)))
                continue;
            m_slots[hole] = m_slots[n];
            hole = n;
        }
        m_slots[hole] = {};
    }

    void clear()
    {
        m_slots.assign(size_t { 1 } << firstBits, {});
        m_bits = firstBits;
        m_count = 0;
    }

private:
    struct Slot {
        uint64_t key = 0;
        TranslatedUnit* unit = nullptr;
    };
    static constexpr unsigned firstBits = 12;

    // Fibonacci hashing: the top bits of the product with 2^64 divided by the golden ratio.
    size_t placeOf(uint64_t key) const { return static_cast<size_t>(key * 0x9e3779b97f4a7c15 >> (64 - m_bits)); }
    size_t next(size_t n) const { return (n + 1) & (m_slots.size() - 1); }

    void grow()
    {
        std::vector<Slot> former;
        former.swap(m_slots);
        m_slots.assign(size_t { 1 } << ++m_bits, {});
        m_count = 0;
        for (const Slot& slot : former)
            if (slot.unit)
                put(slot.key, *slot.unit);
    }

    std::vector<Slot> m_slots; // half of them are empty at least
    unsigned m_bits = firstBits;
    size_t m_count = 0;
};

} // namespace namsan
