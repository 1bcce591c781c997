// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/race.h"
#include "app/lab/race_lanes.h"

#include <string>

namespace namsan {

// Races as text. Rounds that go on are in the tables for people only.

// "kbuild (smoke): 1(d) against 2(s)"
std::string raceTitle(const RaceSettings&);

// The rounds as a table with a line for the medians, the verdict, and what else is to be said; for a terminal.
std::string raceTable(const Race&, const LanePlan&);

// The same for a document.
std::string raceAsMarkdown(const Race&, const LanePlan&, const HostDescription&);

// One header line, then one line for each lane of each round; numbers with a point.
std::string raceAsCsv(const Race&);

// Settings, places, rounds with their skew, results and verdict, self-describing with snake_case keys.
std::string raceAsJson(const Race&, const LanePlan&, const HostDescription&);

} // namespace namsan
