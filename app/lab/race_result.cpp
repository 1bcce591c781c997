// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/race_result.h"

#include "app/lab/result_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

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

// Text of no more than so many characters on a screen; std::string counts bytes.
size_t widthOf(const std::string& text)
{
    return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

void appendRow(std::string& table, const std::vector<std::string>& cells, const std::vector<size_t>& widths)
{
    for (size_t i = 0; i < cells.size(); ++i)
        table += std::string(2 + widths[i] - widthOf(cells[i]), ' ') + cells[i];
    table += '\n';
}

std::string aligned(const std::vector<std::vector<std::string>>& rows)
{
    std::vector<size_t> widths(rows.front().size(), 0);
    for (const auto& row : rows) {
        for (size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], widthOf(row[i]));
    }
    std::string table;
    for (const auto& row : rows)
        appendRow(table, row, widths);
    return table;
}

std::vector<std::vector<std::string>> tableRows(const Race& race, const std::vector<LaneResult>& results)
{
    const size_t lanes = race.settings().lanes.size();
    std::vector<std::string> header { "Round" };
    for (size_t lane = 0; lane < lanes; ++lane)
        header.push_back(nameOf(race, lane));
    for (size_t lane = 1; lane < lanes; ++lane)
        header.push_back(fmt::format("{} against A", laneLetter(lane)));
    header.emplace_back("Apart at the start");
    std::vector<std::vector<std::string>> rows { header };
    for (size_t number = 0; number < race.rounds().size(); ++number) {
        const RaceRound& round = race.rounds()[number];
        std::vector<std::string> row { fmt::format("{}", number + 1) };
        for (const LaneRun& lane : round.lanes)
            row.push_back(roundCell(lane));
        for (size_t lane = 1; lane < lanes; ++lane)
            row.push_back(roundComparison(round, lane));
        row.push_back(round.skew ? skewText(*round.skew) : "-");
        rows.push_back(std::move(row));
    }
    std::vector<std::string> medians { "Median" };
    for (const LaneResult& result : results)
        medians.push_back(
            result.median ? fmt::format("{}{} s", secondsText(*result.median), result.guestTimeOff ? "*" : "") : "-");
    for (size_t lane = 1; lane < lanes; ++lane)
        medians.push_back(results[lane].ratio ? percentText(*results[lane].ratio) : "-");
    medians.emplace_back("");
    rows.push_back(std::move(medians));
    return rows;
}

nlohmann::json toJson(const Interval& interval)
{
    return { interval.low, interval.high };
}

nlohmann::json toJson(const RaceRound& round)
{
    nlohmann::json lanes = nlohmann::json::array();
    for (const LaneRun& run : round.lanes) {
        nlohmann::json lane { { "status", run.stage == LaneStage::Finished ? "ok" : "failed" },
            { "engine", run.engineName }, { "drift", run.drift } };
        if (run.stage == LaneStage::Finished)
            lane["guest_seconds"] = run.guestSeconds;
        if (!run.reason.empty())
            lane["reason"] = run.reason;
        lanes.push_back(std::move(lane));
    }
    nlohmann::json json { { "lanes", std::move(lanes) } };
    if (round.skew)
        json["start_skew_seconds"] = std::chrono::duration<double>(*round.skew).count();
    return json;
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

std::string raceTable(const Race& race, const LanePlan& plan)
{
    const RaceSettings& settings = race.settings();
    const std::vector<LaneResult> results = laneResults(race);
    std::string text = fmt::format("{} ({}), {}, {}\n\n", settings.workload, settings.size, settings.engine,
        settings.byTurns ? "lanes by turns" : "all lanes at the same time");
    text += aligned(tableRows(race, results)) + '\n';
    const RaceVerdict verdict = verdictOf(race);
    text += fmt::format("{} {}\n", verdict.headline, verdict.why);
    if (!settings.byTurns && !plan.warning.empty())
        text += plan.warning + '\n';
    if (std::ranges::any_of(results, &LaneResult::guestTimeOff))
        text += "* guest time and host time differ by over 1 %\n";
    for (size_t number = 0; number < race.rounds().size(); ++number) {
        for (size_t lane = 0; lane < settings.lanes.size(); ++lane) {
            if (const LaneRun& run = race.rounds()[number].lanes[lane]; run.stage == LaneStage::Failed)
                text += fmt::format(
                    "Round {} is not counted: lane {}: {}\n", number + 1, nameOf(race, lane), run.reason);
        }
    }
    return text;
}

std::string raceAsJson(const Race& race, const LanePlan& plan, const HostDescription& host)
{
    const RaceSettings& settings = race.settings();
    const std::vector<LaneResult> results = laneResults(race);
    nlohmann::json lanes = nlohmann::json::array();
    for (size_t lane = 0; lane < settings.lanes.size(); ++lane) {
        nlohmann::json description { { "lane", std::string(1, laneLetter(lane)) },
            { "column", settings.lanes[lane].name() }, { "placement", placementMap(plan.placements[lane]) } };
        if (results[lane].median)
            description["median_guest_seconds"] = *results[lane].median;
        if (results[lane].ratio)
            description["ratio_to_a"] = *results[lane].ratio;
        if (results[lane].ratioInterval)
            description["ratio_to_a_interval"] = toJson(*results[lane].ratioInterval);
        lanes.push_back(std::move(description));
    }
    nlohmann::json rounds = nlohmann::json::array();
    for (const RaceRound& round : race.rounds()) {
        if (round.over)
            rounds.push_back(toJson(round));
    }
    const RaceVerdict verdict = verdictOf(race);
    const nlohmann::json json { { "format", "namsan-race" }, { "version", 1 }, { "workload", settings.workload },
        { "size", settings.size }, { "engine", settings.engine }, { "by_turns", settings.byTurns },
        { "seed", settings.seed }, { "rounds_wanted", settings.rounds },
        { "host", { { "processor", host.processor }, { "kernel", host.kernel }, { "cpus", host.cpus } } },
        { "lanes_share_cpus", plan.overlapping && !settings.byTurns }, { "lanes", std::move(lanes) },
        { "rounds", std::move(rounds) }, { "verdict", verdict.headline + " " + verdict.why } };
    return json.dump(4, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

} // namespace namsan
