// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/result_table.h"

#include <vector>

namespace namsan {

// The tables that were published in 2019 for Seoul on Genode, figure by figure as they were printed: the experiment
// "published-2019", which can be read like any other and never changes.
struct PublishedTables {
    std::string title;
    std::string published; // the day
    std::string source;
    std::string workload;
    std::vector<ResultTable> tables; // one for each machine
};

inline constexpr const char* publishedName = "published-2019";

PublishedTables publishedTables();

} // namespace namsan
