// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"
#include "app/lab/statistics.h"

#include <optional>
#include <string>
#include <vector>

namespace namsan {

// One place of a table in the published form.
struct ResultCell {
    std::optional<double> seconds; // the median; empty: "-"
    std::string reason; // why it is "-", or what is to be said of its failed runs
    size_t runs = 0; // that are counted
    size_t made = 0; // those that failed, too
    size_t wanted = 0; // 0: this host cannot do it
    bool base = false; // 1(d), which the percents are of
    bool guestTimeOff = false; // in at least one of its runs
    std::optional<Interval> interval; // 95 %, of the median
    std::optional<double> ratio; // to the base
    std::optional<Interval> ratioInterval; // 95 %
    std::optional<int> printedPercent; // of a published table

    // Chance alone may have made the difference.
    bool notDistinguishable() const { return !base && ratioInterval && ratioInterval->holds(1); }
    std::vector<double> values; // of the runs that are counted, in seconds, in their order
    std::vector<unsigned> repetitions; // of the same
};

struct ResultRow {
    std::string engine;
    std::string note; // what exactly ran
    std::vector<ResultCell> cells; // one for each column
};

struct ResultTable {
    std::string title;
    std::string host;
    std::string baseName; // "soft 1(d)"; empty: there is none
    std::vector<std::string> columns;
    std::vector<ResultRow> rows;
    std::vector<std::string> notes; // sentences below the table
};

// The table of the runs so far. Takes some milliseconds for each cell with enough runs for intervals.
ResultTable resultTable(const Experiment&);

} // namespace namsan
