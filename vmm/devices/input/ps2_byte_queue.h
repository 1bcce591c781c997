// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

namespace namsan {

// Bytes that a PS/2 device waits to send, the oldest first. Saveable as it is.
template <uint8_t capacity> class Ps2ByteQueue {
public:
    uint8_t size() const { return m_size; }
    bool empty() const { return m_size == 0; }
    uint8_t room() const { return capacity - m_size; }
    void clear() { m_size = 0; }

    // Only while there is room.
    void put(uint8_t byte)
    {
        assert(m_size < capacity);
        m_bytes[m_size++] = byte;
    }

    // Only while not empty.
    uint8_t take()
    {
        assert(m_size > 0);
        const uint8_t byte = m_bytes[0];
        std::move(m_bytes.begin() + 1, m_bytes.begin() + m_size, m_bytes.begin());
        --m_size;
        return byte;
    }

    bool possible() const { return m_size <= capacity; }

private:
    std::array<uint8_t, capacity> m_bytes {};
    uint8_t m_size = 0;
};

} // namespace namsan
