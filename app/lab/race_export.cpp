// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/race_export.h"

#include "app/lab/race_result.h"
#include "app/lab/result_text.h"
#include "app/lab/table_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace namsan {

namespace {

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
        header.push_back(laneName(lane, race.settings().lanes[lane]));
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

std::string mannerOf(const RaceSettings& settings)
{
    return settings.byTurns ? "lanes by turns" : "all lanes at the same time";
}

// The sentences below the table, the verdict first.
std::vector<std::string> remarksOn(const Race& race, const LanePlan& plan, const std::vector<LaneResult>& results)
{
    const RaceSettings& settings = race.settings();
    const RaceVerdict verdict = verdictOf(race);
    std::vector<std::string> remarks { fmt::format("{} {}", verdict.headline, verdict.why) };
    if (!settings.byTurns && !plan.warning.empty())
        remarks.push_back(plan.warning);
    if (std::ranges::any_of(results, &LaneResult::guestTimeOff))
        remarks.emplace_back("* guest time and host time differ by over 1 %");
    for (size_t number = 0; number < race.rounds().size(); ++number) {
        for (size_t lane = 0; lane < settings.lanes.size(); ++lane) {
            if (const LaneRun& run = race.rounds()[number].lanes[lane]; run.stage == LaneStage::Failed)
                remarks.push_back(fmt::format("Round {} is not counted: lane {}: {}", number + 1,
                    laneName(lane, settings.lanes[lane]), run.reason));
        }
    }
    return remarks;
}

} // namespace

std::string raceTitle(const RaceSettings& settings)
{
    std::string lanes;
    for (const Column& lane : settings.lanes)
        lanes += (lanes.empty() ? "" : " against ") + lane.name();
    return fmt::format("{} ({}): {}", settings.workload, settings.size, lanes);
}

std::string raceTable(const Race& race, const LanePlan& plan)
{
    const RaceSettings& settings = race.settings();
    const std::vector<LaneResult> results = laneResults(race);
    std::string text
        = fmt::format("{} ({}), {}, {}\n\n", settings.workload, settings.size, settings.engine, mannerOf(settings));
    text += aligned(tableRows(race, results)) + '\n';
    for (const std::string& remark : remarksOn(race, plan, results))
        text += remark + '\n';
    return text;
}

std::string raceAsMarkdown(const Race& race, const LanePlan& plan, const HostDescription& host)
{
    const RaceSettings& settings = race.settings();
    const std::vector<LaneResult> results = laneResults(race);
    std::string text
        = fmt::format("### {}\n\n{}, {}, {} rounds wanted, on {} with {} CPUs, {}.\n\n", raceTitle(settings),
            settings.engine, mannerOf(settings), settings.rounds, host.processor, host.cpus, host.kernel);
    text += markdownTable(tableRows(race, results));
    for (const std::string& remark : remarksOn(race, plan, results))
        text += (remark.starts_with('*') ? "\n\\" : "\n") + remark + "  ";
    return text + '\n';
}

std::string raceAsCsv(const Race& race)
{
    const RaceSettings& settings = race.settings();
    std::string text = "workload,size,engine,round,lane,column,status,guest_seconds,drift,guest_time_off,engine_name,"
                       "start_skew_seconds,reason\n";
    for (size_t number = 0; number < race.rounds().size(); ++number) {
        const RaceRound& round = race.rounds()[number];
        const std::string skew
            = round.skew ? fmt::format("{}", std::chrono::duration<double>(*round.skew).count()) : std::string {};
        for (size_t lane = 0; round.over && lane < round.lanes.size(); ++lane) {
            const LaneRun& run = round.lanes[lane];
            const bool ok = run.stage == LaneStage::Finished;
            text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", settings.workload, settings.size,
                csvField(settings.engine), number + 1, laneLetter(lane), settings.lanes[lane].option(),
                ok ? "ok" : "failed", ok ? fmt::format("{}", run.guestSeconds) : std::string {}, run.drift,
                run.guestTimeOff ? 1 : 0, csvField(run.engineName), skew, csvField(run.reason));
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
