// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/result_text.h"

#include <fmt/format.h>

#include <cmath>

namespace namsan {

namespace {

constexpr std::string_view noBreakSpace = "\u00a0";
constexpr std::string_view minus = "\u2212";

std::string signedPercent(long percent)
{
    const std::string_view sign = percent > 0 ? "+" : percent < 0 ? minus : "";
    return fmt::format("{}{}{}%", sign, std::labs(percent), noBreakSpace);
}

long percentOf(double ratio)
{
    return std::lround((ratio - 1) * 100);
}

std::string intervalText(const Interval& interval)
{
    return fmt::format("{} to {}{}s", secondsText(interval.low), secondsText(interval.high), noBreakSpace);
}

} // namespace

std::string secondsText(double seconds)
{
    constexpr double noDecimalsFrom = 99.95; // what would be written 100.0
    if (seconds >= noDecimalsFrom)
        return fmt::format("{:.0f}", seconds);
    if (seconds >= 0.995 || seconds <= 0)
        return fmt::format("{:.1f}", seconds);
    const int zeros = static_cast<int>(-std::floor(std::log10(seconds))) - 1;
    return fmt::format("{:.{}f}", seconds, zeros + 2);
}

std::string percentText(double ratio)
{
    return signedPercent(percentOf(ratio));
}

std::string secondsLine(const ResultCell& cell)
{
    return cell.seconds ? secondsText(*cell.seconds) + (cell.guestTimeOff ? "*" : "") : "-";
}

std::string comparisonLine(const ResultCell& cell)
{
    if (!cell.seconds)
        return {};
    if (cell.printedPercent)
        return cell.base ? "(base)" : fmt::format("({})", signedPercent(*cell.printedPercent));
    if (cell.made < cell.wanted)
        return fmt::format("{} of {}", cell.made, cell.wanted);
    if (cell.base)
        return "(base)";
    if (cell.notDistinguishable())
        return "(≈)";
    return cell.ratio ? fmt::format("({})", percentText(*cell.ratio)) : std::string {};
}

std::string cellText(const ResultCell& cell)
{
    const std::string comparison = comparisonLine(cell);
    return comparison.empty() ? secondsLine(cell) : secondsLine(cell) + " " + comparison;
}

std::string cellDetail(const ResultTable& table, size_t row, size_t column)
{
    const ResultCell& cell = table.rows[row].cells[column];
    std::string text = fmt::format("{} {}: ", table.rows[row].engine, table.columns[column]);
    if (!cell.seconds)
        return text + "- " + cell.reason;
    text += fmt::format("{}{}s", secondsText(*cell.seconds), noBreakSpace);
    if (cell.printedPercent)
        return text
            + fmt::format(
                ", {} as printed{}", signedPercent(*cell.printedPercent), cell.guestTimeOff ? ", guest time off" : "");
    if (cell.interval)
        text += ", 95 % interval " + intervalText(*cell.interval);
    if (cell.base) {
        text += ", base of the percents";
    } else if (cell.ratio) {
        text += "; " + percentText(*cell.ratio);
        if (cell.ratioInterval)
            text += fmt::format(
                ", {} to {}", percentText(cell.ratioInterval->low), percentText(cell.ratioInterval->high));
        if (cell.notDistinguishable())
            text += ", not distinguishable";
    }
    text += fmt::format("; n = {}", cell.runs);
    if (cell.made > cell.runs)
        text += fmt::format("; {} not counted: {}", cell.made - cell.runs, cell.reason);
    if (cell.guestTimeOff)
        text += "; guest time off";
    return text;
}

} // namespace namsan
