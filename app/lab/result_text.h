// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/result_table.h"

#include <string>

namespace namsan {

// Figures as tables and plots show them, UTF-8 with true minus and no-break spaces.

std::string secondsText(double); // "58.4", "717", "0.94": one decimal below 100, at least two significant digits
std::string percentText(double ratio); // "+5 %", "−42 %", "0 %"
std::string secondsLine(const ResultCell&); // "24.0*", "-"
std::string comparisonLine(const ResultCell&); // "(−59 %)", "(base)", "(≈)", "7 of 10"; empty where there is nothing
std::string cellText(const ResultCell&); // both, in one line

// The cell in full: seconds and change, each with its interval, the number of runs, and what is special.
std::string cellDetail(const ResultTable&, size_t row, size_t column);

} // namespace namsan
