// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"
#include "app/lab/published_tables.h"
#include "app/lab/result_table.h"

#include <string>

namespace namsan {

// Experiments as text. Without an experiment: what was published alone.

// For a terminal, in columns.
std::string toPlainText(const ResultTable&);
std::string toPlainText(const Experiment&, const ResultTable&, const PublishedTables&);
std::string toPlainText(const PublishedTables&);

// With the command that makes the experiment again.
std::string toMarkdown(const Experiment&, const ResultTable&, const PublishedTables&);
std::string toMarkdown(const PublishedTables&);

// One header line, then one line for each run, in the order in which they ended; numbers with a point.
std::string toCsv(const Experiment&);
std::string toCsv(const PublishedTables&); // one line for each cell

std::string toJson(const Experiment&, const ResultTable&, const PublishedTables&);
std::string toJson(const PublishedTables&);

// "namsan experiment run count --size smoke ...".
std::string commandFor(const ExperimentSettings&);

} // namespace namsan
