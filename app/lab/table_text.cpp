// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/table_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace namsan {

size_t widthOf(std::string_view text)
{
    return static_cast<size_t>( // continuation bytes take no place
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string markdownLine(const std::vector<std::string>& cells)
{
    std::string line = "|";
    for (std::string cell : cells) {
        for (size_t bar = cell.find('|'); bar != std::string::npos; bar = cell.find('|', bar + 2))
            cell.insert(bar, 1, '\\');
        line += fmt::format(" {} |", cell);
    }
    return line + "\n";
}

std::string markdownTable(const std::vector<std::vector<std::string>>& lines)
{
    std::string text = markdownLine(lines[0]) + "|---|";
    for (size_t i = 1; i < lines[0].size(); ++i)
        text += "---:|";
    text += "\n";
    for (size_t row = 1; row < lines.size(); ++row)
        text += markdownLine(lines[row]);
    return text;
}

std::string csvField(std::string text)
{
    std::ranges::replace_if(
        text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    if (text.find_first_of(",\"") == std::string::npos)
        return text;
    for (size_t quote = text.find('"'); quote != std::string::npos; quote = text.find('"', quote + 2))
        text.insert(quote, 1, '"');
    return fmt::format("\"{}\"", text);
}

} // namespace namsan
