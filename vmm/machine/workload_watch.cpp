// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/workload_watch.h"

#include <algorithm>
#include <charconv>

namespace namsan {

namespace {

constexpr std::string_view beginMark = "! BEGIN: ";
constexpr std::string_view perfMark = "! PERF: ";

std::optional<std::string> toName(std::string_view text)
{
    constexpr size_t longest = 64;
    const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
    if (text.empty() || text.size() > longest || text.starts_with(' ') || text.ends_with(' ') || !printable)
        return std::nullopt;
    return std::string(text);
}

std::optional<double> toSeconds(std::string_view text)
{
    // Digits and a point only: from_chars() alone would take "inf", "nan" and negative numbers, too.
    constexpr size_t longest = 24;
    if (text.empty() || text.size() > longest || text.find_first_not_of("0123456789.") != std::string_view::npos)
        return std::nullopt;
    double seconds = 0;
    const auto [end, error]
        = std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
    if (error != std::errc {} || end != text.data() + text.size())
        return std::nullopt;
    return seconds;
}

// Cuts the last word off.
std::string_view takeLastWord(std::string_view& text)
{
    const size_t space = text.rfind(' ');
    if (space == std::string_view::npos)
        return {};
    const std::string_view word = text.substr(space + 1);
    text = text.substr(0, space);
    return word;
}

std::optional<WorkloadEvent> parseEnd(std::string_view text)
{
    const std::string_view outcome = takeLastWord(text);
    const std::string_view unit = takeLastWord(text);
    const auto seconds = toSeconds(takeLastWord(text));
    const auto name = toName(text);
    if ((outcome != "ok" && outcome != "failed") || unit != "s" || !seconds || !name)
        return std::nullopt;
    return WorkloadEnded { *name, *seconds, outcome == "ok" };
}

} // namespace

std::optional<WorkloadEvent> parseWorkloadLine(std::string_view line)
{
    if (line.starts_with(perfMark))
        return parseEnd(line.substr(perfMark.size()));
    if (!line.starts_with(beginMark))
        return std::nullopt;
    if (auto name = toName(line.substr(beginMark.size())))
        return WorkloadBegan { *std::move(name) };
    return std::nullopt;
}

std::vector<WorkloadEvent> WorkloadWatch::feed(std::span<const uint8_t> bytes)
{
    std::vector<WorkloadEvent> events;
    m_lines.feed(bytes, [&](std::string_view line) {
        if (auto event = parseWorkloadLine(line))
            events.push_back(*std::move(event));
    });
    return events;
}

} // namespace namsan
