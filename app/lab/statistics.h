// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace namsan {

// From fewer runs no interval is computed, and nothing is called different.
inline constexpr size_t fewestForInterval = 6;

struct Interval {
    double low = 0;
    double high = 0;

    bool holds(double value) const { return low <= value && value <= high; }
    bool operator==(const Interval&) const = default;
};

// The middle value, or the mean of the two. Not of nothing.
double median(std::vector<double>);

// 95 % bootstrap intervals, the same for the same seed. Empty with fewer than fewestForInterval values on a side.
//
// They are percentile intervals: values are drawn anew from the measured ones, with replacement, on both sides of a
// ratio independently, and the interval holds the middle 95 % of what comes out. Where one of the two outermost 2.5 %
// falls between two values, the outer one is taken.
//
// Why this one, with 6 runs: what is compared are medians. The refinements (BCa, studentized) need an estimate of the
// median's own variance or acceleration; they get it from the jackknife, which for medians is not even consistent
// (Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", 1982, 3.4). A permutation test of medians is exact
// but knows few levels at 6 against 6, and none below 5 % when runs tie. The percentile interval of a median ends close
// to order statistics, which hold whatever the distribution is; simulated placebo experiments (6 against 6; normal,
// skewed, two-humped, rounded) call a difference in 0 to 5 of 100, as tests/app/lab/statistics_test.cpp shows.
std::optional<Interval> medianInterval(std::span<const double>, uint64_t seed);
std::optional<Interval> ratioInterval(std::span<const double> values, std::span<const double> base, uint64_t seed);

} // namespace namsan
