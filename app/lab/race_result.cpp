// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/race_result.h"

#include "app/lab/race_lanes.h"
#include "app/lab/result_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace namsan {

namespace {

size_t roundsCounted(const Race& race)
{
    return static_cast<size_t>(std::ranges::count_if(race.rounds(), &RaceRound::counted));
}

std::string percentInterval(const Interval& interval)
{
    return fmt::format("{} to {}", percentText(interval.low), percentText(interval.high));
}

std::string nameOf(const Race& race, size_t lane)
{
    return laneName(lane, race.settings().lanes[lane]);
}

size_t fastestIn(const std::vector<LaneResult>& results)
{
    const auto fastest = std::ranges::min_element(results, {}, [](const LaneResult& result) { return *result.median; });
    return static_cast<size_t>(fastest - results.begin());
}

RaceVerdict tooFew(const Race& race)
{
    if (race.stage() != RaceStage::Over || race.settings().rounds >= fewestForInterval)
        return { std::nullopt, "No winner yet.",
            fmt::format("One is named when the 95 % interval of the change excludes 0 %, after {} rounds at the "
                        "earliest.",
                fewestForInterval) };
    return { std::nullopt, "No winner.",
        fmt::format("{} {} too few for an interval; it takes {}.", race.settings().rounds,
            race.settings().rounds == 1 ? "round is" : "rounds are", fewestForInterval) };
}

} // namespace

std::vector<LaneResult> laneResults(const Race& race)
{
    std::vector<LaneResult> results(race.settings().lanes.size());
    for (const RaceRound& round : race.rounds()) {
        for (size_t lane = 0; round.counted() && lane < results.size(); ++lane) {
            results[lane].values.push_back(round.lanes[lane].guestSeconds);
            results[lane].guestTimeOff = results[lane].guestTimeOff || round.lanes[lane].guestTimeOff;
        }
    }
    for (LaneResult& result : results) {
        if (result.values.empty())
            return results;
        result.median = median(result.values);
    }
    for (size_t lane = 1; lane < results.size() && *results[0].median > 0; ++lane) {
        results[lane].ratio = *results[lane].median / *results[0].median;
        results[lane].ratioInterval
            = ratioInterval(results[lane].values, results[0].values, race.settings().seed + lane);
    }
    return results;
}

RaceVerdict verdictOf(const Race& race)
{
    const size_t rounds = roundsCounted(race);
    if (race.stage() == RaceStage::Failed)
        return { std::nullopt, "The race was broken off.", race.reason() };
    if (rounds < fewestForInterval)
        return tooFew(race);
    const std::vector<LaneResult> results = laneResults(race);
    const size_t fastest = fastestIn(results);
    const std::string ofRounds = fmt::format("95 % interval, {} rounds", rounds);
    std::string figures;
    bool distinct = true;
    for (size_t lane = 0; lane < results.size(); ++lane) {
        if (lane == fastest)
            continue;
        const auto interval = ratioInterval(
            results[fastest].values, results[lane].values, race.settings().seed + std::max(lane, fastest));
        const bool isApart = interval && !interval->holds(1);
        distinct = distinct && isApart;
        if (interval)
            figures += fmt::format("{}{} against {}: {}, {}", figures.empty() ? "" : "; ", laneLetter(fastest),
                laneLetter(lane), percentText(*results[fastest].median / *results[lane].median),
                percentInterval(*interval));
    }
    if (distinct)
        return { fastest, fmt::format("{} is faster.", nameOf(race, fastest)),
            fmt::format("{} ({}).", figures, ofRounds) };
    return { std::nullopt, race.stage() == RaceStage::Over ? "No winner." : "No winner yet.",
        fmt::format("Not distinguishable: {} ({}), which holds 0 %.", figures, ofRounds) };
}

std::string roundCell(const LaneRun& lane)
{
    switch (lane.stage) {
    case LaneStage::Finished:
        return fmt::format("{}{} s", secondsText(lane.guestSeconds), lane.guestTimeOff ? "*" : "");
    case LaneStage::Failed:
        return "failed";
    default:
        return "...";
    }
}

std::string roundComparison(const RaceRound& round, size_t lane)
{
    const double base = round.lanes[0].guestSeconds;
    return round.counted() && base > 0 ? percentText(round.lanes[lane].guestSeconds / base) : std::string {};
}

std::string skewText(std::chrono::nanoseconds skew)
{
    const double milliseconds = std::chrono::duration<double, std::milli>(skew).count();
    if (milliseconds < 0.0995)
        return fmt::format("{:.{}f} µs", milliseconds * 1000, milliseconds < 0.00995 ? 1 : 0);
    return fmt::format("{:.{}f} ms", milliseconds, milliseconds < 0.995 ? 2 : milliseconds < 9.95 ? 1 : 0);
}

} // namespace namsan
