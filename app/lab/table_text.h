// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace namsan {

// What all tables that are written as text have in common.

// The characters of a text in UTF-8, where its size counts bytes.
size_t widthOf(std::string_view text);

// "| Engine | 1(s) |\n"; bars within a cell are escaped.
std::string markdownLine(const std::vector<std::string>& cells);

// The first line is the header; all columns but the first are set to the right.
std::string markdownTable(const std::vector<std::vector<std::string>>& lines);

// A field of RFC 4180 in one line, so that a line stays one whatever a field holds.
std::string csvField(std::string text);

} // namespace namsan
