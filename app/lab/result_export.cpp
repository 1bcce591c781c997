// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/result_export.h"

#include "app/lab/result_text.h"
#include "app/lab/settings_text.h"
#include "app/lab/table_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace namsan {

namespace {

using Json = nlohmann::ordered_json;

std::string padded(const std::string& text, size_t width, bool right)
{
    const std::string space(width - std::min(width, widthOf(text)), ' ');
    return right ? space + text : text + space;
}

// The table's texts, header first, row by row.
std::vector<std::vector<std::string>> textsOf(const ResultTable& table)
{
    std::vector<std::vector<std::string>> lines { { "Engine" } };
    lines[0].insert(lines[0].end(), table.columns.begin(), table.columns.end());
    for (const ResultRow& row : table.rows) {
        std::vector<std::string>& line = lines.emplace_back();
        line.push_back(row.engine);
        for (const ResultCell& cell : row.cells)
            line.push_back(cellText(cell));
    }
    return lines;
}

std::string markdownWithNotes(const ResultTable& table)
{
    std::string text = markdownTable(textsOf(table));
    for (const std::string& note : table.notes)
        text += "\n" + (note.starts_with("- ") || note.starts_with("* ") ? "\\" + note : note) + "  ";
    return text + (table.notes.empty() ? "" : "\n");
}

std::string unitOf(const ResultTable& table)
{
    return table.baseName.empty() ? "seconds" : fmt::format("seconds (against {})", table.baseName);
}

Json toJson(const std::optional<Interval>& interval)
{
    return interval ? Json { interval->low, interval->high } : Json(nullptr);
}

template <class T> Json orNull(const std::optional<T>& value)
{
    return value ? Json(*value) : Json(nullptr);
}

Json toJson(const ResultTable& table)
{
    Json rows = Json::array();
    for (const ResultRow& row : table.rows) {
        Json cells = Json::array();
        for (size_t i = 0; i < row.cells.size(); ++i) {
            const ResultCell& cell = row.cells[i];
            Json json { { "column", table.columns[i] }, { "text", cellText(cell) },
                { "median_seconds", orNull(cell.seconds) }, { "runs", cell.runs }, { "reason", cell.reason },
                { "base", cell.base }, { "guest_time_off", cell.guestTimeOff } };
            if (cell.printedPercent) {
                json["printed_percent"] = *cell.printedPercent;
            } else {
                json["interval"] = toJson(cell.interval);
                json["ratio"] = orNull(cell.ratio);
                json["ratio_interval"] = toJson(cell.ratioInterval);
                json["not_distinguishable"] = cell.notDistinguishable();
            }
            cells.push_back(std::move(json));
        }
        rows.push_back({ { "engine", row.engine }, { "note", row.note }, { "cells", std::move(cells) } });
    }
    return { { "title", table.title }, { "host", table.host }, { "base", table.baseName }, { "columns", table.columns },
        { "rows", std::move(rows) }, { "notes", table.notes } };
}

Json publishedJson(const PublishedTables& published)
{
    Json tables = Json::array();
    for (const ResultTable& table : published.tables)
        tables.push_back(toJson(table));
    return { { "title", published.title }, { "published", published.published }, { "source", published.source },
        { "workload", published.workload }, { "tables", std::move(tables) } };
}

Json runJson(const Experiment& experiment, const ExperimentRun& run)
{
    const CellPlace& cell = run.planned.cell;
    return { { "engine", experiment.settings.engines[cell.engine] },
        { "column", experiment.settings.columns[cell.column].option() }, { "column_number", cell.column + 1 },
        { "repetition", run.planned.repetition + 1 }, { "status", statusToText(run.status) },
        { "guest_seconds", run.guestSeconds }, { "host_seconds", run.hostSeconds }, { "drift", run.drift() },
        { "guest_time_off", run.guestTimeOff() }, { "engine_name", run.engineName }, { "started_at", run.startedAt },
        { "reason", run.reason } };
}

std::string dump(const Json& json)
{
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string introduction(const Experiment& experiment, const ResultTable& table)
{
    const ExperimentSettings& settings = experiment.settings;
    return fmt::format("{} ({}), {} repetitions in random order with seed {}, begun {} with Namsan {}, on {}",
        settings.workload, settings.size, settings.repetitions, settings.seed, experiment.createdAt,
        experiment.programVersion, table.host);
}

std::string publishedHeading(const PublishedTables& published)
{
    return fmt::format(
        "{}, published {} ({}): {}", published.title, published.published, published.source, published.workload);
}

std::string shellWord(const std::string& word)
{
    const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-_.,:=/+").find(c) != std::string::npos;
    });
    if (plain)
        return word;
    std::string quoted = "'";
    for (const char c : word)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

} // namespace

std::string commandFor(const ExperimentSettings& settings)
{
    return fmt::format(
        "namsan experiment run {} --size {} --engine {} --columns {} --repetitions {} --seed {} --name {}",
        settings.workload, settings.size, fmt::join(settings.engines, ","), describe(settings.columns),
        settings.repetitions, settings.seed, shellWord(settings.name));
}

std::string toPlainText(const ResultTable& table)
{
    const auto lines = textsOf(table);
    std::string text;
    for (const auto& line : lines) {
        for (size_t i = 0; i < line.size(); ++i) {
            size_t width = 0;
            for (const auto& other : lines)
                width = std::max(width, widthOf(other[i]));
            text += (i == 0 ? "  " : "   ") + padded(line[i], width, i > 0);
        }
        while (text.ends_with(' '))
            text.pop_back();
        text += "\n";
    }
    for (const std::string& note : table.notes)
        text += "  " + note + "\n";
    return text;
}

std::string toPlainText(const PublishedTables& published)
{
    std::string text = publishedHeading(published) + "\n";
    for (const ResultTable& table : published.tables)
        text += fmt::format("\n{} ({}), {}\n{}", table.title, table.host, unitOf(table), toPlainText(table));
    return text;
}

std::string toPlainText(const Experiment& experiment, const ResultTable& table, const PublishedTables& published)
{
    std::string text = fmt::format(
        "{}\n{}\n\n{}\n{}\n", table.title, introduction(experiment, table), unitOf(table), toPlainText(table));
    for (size_t row = 0; row < table.rows.size(); ++row) {
        for (size_t column = 0; column < table.columns.size(); ++column) {
            if (table.rows[row].cells[column].seconds)
                text += "  " + cellDetail(table, row, column) + "\n";
        }
        if (!table.rows[row].note.empty())
            text += fmt::format("  {} is {}.\n", table.rows[row].engine, table.rows[row].note);
    }
    return text + "\nBeside it, what others measured of other work on other machines: compare percents, not seconds.\n"
        + toPlainText(published);
}

std::string toMarkdown(const PublishedTables& published)
{
    std::string text = publishedHeading(published) + "\n";
    for (const ResultTable& table : published.tables)
        text
            += fmt::format("\n**{}** ({}), {}\n\n{}", table.title, table.host, unitOf(table), markdownWithNotes(table));
    return text;
}

std::string toMarkdown(const Experiment& experiment, const ResultTable& table, const PublishedTables& published)
{
    return fmt::format("### {}\n\n{}.\n\n    {}\n\n**This host**, {}\n\n{}\n**Published 2019**: compare percents, not "
                       "seconds. {}",
        table.title, introduction(experiment, table), commandFor(experiment.settings), unitOf(table),
        markdownWithNotes(table), toMarkdown(published));
}

std::string toCsv(const Experiment& experiment)
{
    const ExperimentSettings& settings = experiment.settings;
    std::string text = "experiment,workload,size,engine,column,column_number,repetition,status,guest_seconds,"
                       "host_seconds,drift,guest_time_off,engine_name,started_at,reason\n";
    for (const ExperimentRun& run : experiment.runs) {
        const CellPlace& cell = run.planned.cell;
        text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csvField(settings.name),
            settings.workload, settings.size, settings.engines[cell.engine], settings.columns[cell.column].option(),
            cell.column + 1, run.planned.repetition + 1, statusToText(run.status), run.guestSeconds, run.hostSeconds,
            run.drift(), run.guestTimeOff() ? 1 : 0, csvField(run.engineName), run.startedAt, csvField(run.reason));
    }
    return text;
}

std::string toCsv(const PublishedTables& published)
{
    std::string text = "experiment,machine,engine,column,guest_seconds,printed_percent,guest_time_off\n";
    for (const ResultTable& table : published.tables) {
        for (const ResultRow& row : table.rows) {
            for (size_t i = 0; i < row.cells.size(); ++i) {
                if (const ResultCell& cell = row.cells[i]; cell.seconds)
                    text += fmt::format("{},{},{},{},{},{},{}\n", publishedName, csvField(table.title),
                        csvField(row.engine), table.columns[i], *cell.seconds, cell.printedPercent.value_or(0),
                        cell.guestTimeOff ? 1 : 0);
            }
        }
    }
    return text;
}

std::string toJson(const PublishedTables& published)
{
    return dump(publishedJson(published));
}

std::string toJson(const Experiment& experiment, const ResultTable& table, const PublishedTables& published)
{
    Json runs = Json::array();
    for (const ExperimentRun& run : experiment.runs)
        runs.push_back(runJson(experiment, run));
    const Json json { { "format", "namsan-experiment" }, { "version", 1 },
        { "settings", Json::parse(settingsToText(experiment.settings)) },
        { "command", commandFor(experiment.settings) }, { "created_at", experiment.createdAt },
        { "program_version", experiment.programVersion },
        { "host",
            { { "processor", experiment.host.processor }, { "kernel", experiment.host.kernel },
                { "cpus", experiment.host.cpus } } },
        { "table", toJson(table) }, { "runs", std::move(runs) }, { "published", publishedJson(published) } };
    return dump(json);
}

} // namespace namsan
