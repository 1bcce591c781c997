// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/host/placement.h"

#include <string>
#include <string_view>
#include <vector>

namespace namsan {

// One column of a table: so many vCPUs, placed in one of the two published ways.
struct Column {
    unsigned vcpus = 1;
    PlacementPolicy policy = PlacementPolicy::Disjoint; // or Shared

    std::string option() const; // "1s", as it is written on the command line
    std::string name() const; // "1(s)", as it stands above a table

    bool operator==(const Column&) const = default;
};

// What the others of a table are compared with.
inline constexpr Column baseColumn { 1, PlacementPolicy::Disjoint };

// "1s" or "1(s)". Fails with a sentence that tells what may be written.
Result<Column> parseColumn(std::string_view);

// "1s,1d,2s". A column may stand there twice: that is a placebo, which shows what chance alone does.
Result<std::vector<Column>> parseColumns(std::string_view);

std::string describe(const std::vector<Column>&); // "1s,1d,2s"

// The names of a table's columns; what stands there again is numbered: "1(d)", "1(d) again", "1(d) again 2".
std::vector<std::string> columnNames(const std::vector<Column>&);

} // namespace namsan
