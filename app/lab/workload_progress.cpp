// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/workload_progress.h"

#include <array>
#include <charconv>

namespace namsan {

namespace {

// A number and nothing else; from_chars() alone would take what follows, "inf" and signs, too.
template <class Number> std::optional<Number> toNumber(std::string_view text)
{
    constexpr size_t longest = 12;
    if (text.empty() || text.size() > longest || text.find_first_not_of("0123456789.") != std::string_view::npos)
        return std::nullopt;
    Number number {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc {} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

} // namespace

std::optional<WorkloadProgress> parseProgressLine(std::string_view line)
{
    constexpr std::string_view mark = "! DONE: ";
    constexpr size_t longestName = 64;
    if (!line.starts_with(mark))
        return std::nullopt;
    line.remove_prefix(mark.size());
    std::array<std::string_view, 6> words; // NAME 16 of 40 12.34 s
    for (std::string_view& word : words) {
        const size_t space = line.find(' ');
        word = line.substr(0, space);
        line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
    }
    const auto done = toNumber<unsigned>(words[1]);
    const auto total = toNumber<unsigned>(words[3]);
    const auto seconds = toNumber<double>(words[4]);
    if (!line.empty() || words[0].empty() || words[0].size() > longestName || words[2] != "of" || words[5] != "s")
        return std::nullopt;
    if (!done || !total || !seconds || *done > *total)
        return std::nullopt;
    return WorkloadProgress { std::string(words[0]), *done, *total, *seconds };
}

} // namespace namsan
