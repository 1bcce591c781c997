// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/column.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace namsan {

namespace {

constexpr unsigned mostVcpus = 16; // of any machine here
constexpr size_t mostColumns = 32;

char letterOf(PlacementPolicy policy)
{
    return policy == PlacementPolicy::Shared ? 's' : 'd';
}

} // namespace

std::string Column::option() const
{
    return fmt::format("{}{}", vcpus, letterOf(policy));
}

std::string Column::name() const
{
    return fmt::format("{}({})", vcpus, letterOf(policy));
}

Result<Column> parseColumn(std::string_view text)
{
    std::string plain(text);
    std::erase_if(plain, [](char c) { return c == '(' || c == ')'; });
    Column column;
    const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), column.vcpus);
    const std::string_view letter(end, static_cast<size_t>(plain.data() + plain.size() - end));
    if (error != std::errc {} || column.vcpus < 1 || column.vcpus > mostVcpus || (letter != "s" && letter != "d"))
        return Error { fmt::format(
            "The column \"{}\" is not understood; write the number of vCPUs, 1 to {}, and s (the "
            "VMM shares a host CPU with vCPU 0) or d (it has one of its own), such as 1s,1d,2s.",
            text, mostVcpus) };
    column.policy = letter == "s" ? PlacementPolicy::Shared : PlacementPolicy::Disjoint;
    return column;
}

Result<std::vector<Column>> parseColumns(std::string_view text)
{
    std::vector<Column> columns;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const auto column = parseColumn(text.substr(begin, end - begin));
        if (!column)
            return column.error();
        columns.push_back(*column);
        begin = end + 1;
    }
    if (columns.size() > mostColumns)
        return Error { fmt::format(
            "{} columns are more than the {} that a table can hold; leave some out.", columns.size(), mostColumns) };
    return columns;
}

std::string describe(const std::vector<Column>& columns)
{
    std::string text;
    for (const Column& column : columns) {
        if (!text.empty())
            text += ',';
        text += column.option();
    }
    return text;
}

std::vector<std::string> columnNames(const std::vector<Column>& columns)
{
    std::vector<std::string> names;
    for (auto column = columns.begin(); column != columns.end(); ++column) {
        const auto before = std::count(columns.begin(), column, *column);
        names.push_back(column->name());
        if (before > 0)
            names.back() += before == 1 ? " again" : fmt::format(" again {}", before);
    }
    return names;
}

} // namespace namsan
