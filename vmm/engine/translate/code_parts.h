// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace namsan {

// How the code region behind the thunks is used: part after part, and when all are full, the oldest part is emptied and
// filled again. Offsets into the region.
class CodeParts {
public:
    static constexpr size_t most = 8;

    // Units take at most so many bytes; a part has room for several.
    CodeParts(size_t regionBytes, size_t begin, size_t roomForUnit)
        : m_begin(begin)
        , m_count(std::clamp<size_t>(regionBytes / (8 * roomForUnit), 1, most))
        , m_bytes((regionBytes - begin) / m_count)
    {
    }

    size_t count() const { return m_count; }
    size_t current() const { return m_current; }
    size_t beginOf(size_t part) const { return m_begin + part * m_bytes; }
    size_t end() const { return beginOf(m_current) + m_bytes; } // of the current one
    size_t partOf(size_t offset) const { return std::min((offset - m_begin) / m_bytes, m_count - 1); }

    void advance() { m_current = (m_current + 1) % m_count; }
    void restart() { m_current = 0; }

private:
    size_t m_begin;
    size_t m_count;
    size_t m_bytes; // of a part
    size_t m_current = 0;
};

} // namespace namsan
