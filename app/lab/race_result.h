// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/race.h"
#include "app/lab/statistics.h"

#include <optional>
#include <string>
#include <vector>

namespace namsan {

// What the rounds of a race say of one lane so far. Only rounds that are counted are in it.
struct LaneResult {
    std::vector<double> values; // guest seconds, round by round
    std::optional<double> median;
    std::optional<double> ratio; // of the medians, to the first lane's; not of the first lane itself
    std::optional<Interval> ratioInterval; // 95 %
    bool guestTimeOff = false; // in at least one of them
};

std::vector<LaneResult> laneResults(const Race&);

struct RaceVerdict {
    std::optional<size_t> winner; // a lane
    std::string headline; // "No winner yet."
    std::string why; // the figures behind it, in a sentence or two
};

// Who is faster: the lane with the least median, where the 95 % interval of the ratio of every other lane's median to
// its own excludes 1. Nobody before as many rounds are counted as an interval takes.
RaceVerdict verdictOf(const Race&);

// "58.9 s", with a star where guest and host time differ by over 1 %; "..." while it runs; "failed".
std::string roundCell(const LaneRun&);
// A lane against the first one in a round that is counted: "−43 %"; otherwise empty.
std::string roundComparison(const RaceRound&, size_t lane);
// "0.31 ms"
std::string skewText(std::chrono::nanoseconds);

} // namespace namsan
