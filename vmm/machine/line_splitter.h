// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace namsan {

// Finds the complete lines in what a guest sends over its serial line, a few bytes at a time.
//
// A line ends with a line feed; carriage returns at its end (terminals send one, or two) do not belong to it. A guest
// may send any bytes for ever, so only the first `longest` bytes of a line are kept.
class LineSplitter {
public:
    static constexpr size_t longest = 4096;

    // Calls back with each line that the bytes complete. The view is valid during the call.
    template <std::invocable<std::string_view> Callback> void feed(std::span<const uint8_t> bytes, Callback&& lineDone)
    {
        for (const uint8_t byte : bytes) {
            if (byte == '\n') {
                std::string_view line = m_line;
                while (line.ends_with('\r'))
                    line.remove_suffix(1);
                lineDone(line);
                m_line.clear();
            } else if (m_line.size() < longest) {
                m_line.push_back(static_cast<char>(byte));
            }
        }
    }

private:
    std::string m_line;
};

} // namespace namsan
