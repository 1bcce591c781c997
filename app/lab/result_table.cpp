// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/result_table.h"

#include "app/lab/possibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace namsan {

namespace {

ResultCell cellOf(const Experiment& experiment, const CellPlace& place)
{
    ResultCell cell;
    if (const auto why = experiment.unavailable.find(place); why != experiment.unavailable.end())
        cell.reason = why->second;
    else
        cell.wanted = experiment.settings.repetitions;
    for (const ExperimentRun& run : experiment.runs) {
        if (run.planned.cell != place)
            continue;
        ++cell.made;
        if (run.status != RunStatus::Ok) {
            cell.reason = run.reason;
            continue;
        }
        cell.values.push_back(run.guestSeconds);
        cell.repetitions.push_back(run.planned.repetition);
        cell.guestTimeOff = cell.guestTimeOff || run.guestTimeOff();
    }
    cell.runs = cell.values.size();
    if (cell.runs == 0) {
        if (cell.reason.empty())
            cell.reason = "No run of it has ended yet.";
        return cell;
    }
    cell.seconds = median(cell.values);
    cell.interval = medianInterval(cell.values, experiment.settings.seed);
    return cell;
}

std::string noteOf(const Experiment& experiment, size_t engine)
{
    std::set<std::string> names;
    for (const ExperimentRun& run : experiment.runs) {
        if (run.planned.cell.engine == engine && !run.engineName.empty())
            names.insert(run.engineName);
    }
    std::string note;
    for (const std::string& name : names)
        note += (note.empty() ? "" : ", ") + name;
    return note;
}

// The first engine that has a 1(d): all percents of a table are of one cell, as in the published ones.
std::optional<CellPlace> basePlace(const Experiment& experiment)
{
    const auto& columns = experiment.settings.columns;
    const auto found = std::ranges::find(columns, baseColumn);
    if (found == columns.end())
        return std::nullopt;
    const auto column = static_cast<size_t>(found - columns.begin());
    for (size_t engine = 0; engine < experiment.settings.engines.size(); ++engine) {
        if (!experiment.unavailable.contains({ engine, column }))
            return CellPlace { engine, column };
    }
    return std::nullopt;
}

void compareWith(const ResultCell& base, ResultCell& cell, uint64_t seed)
{
    if (!cell.seconds || !base.seconds || *base.seconds <= 0)
        return;
    cell.ratio = *cell.seconds / *base.seconds;
    cell.ratioInterval = ratioInterval(cell.values, base.values, seed);
}

void addNotes(ResultTable& table, const Experiment& experiment)
{
    bool stars = false;
    bool alike = false;
    bool few = false;
    for (const ResultRow& row : table.rows) {
        for (size_t column = 0; column < row.cells.size(); ++column) {
            const ResultCell& cell = row.cells[column];
            stars = stars || cell.guestTimeOff;
            alike = alike || cell.notDistinguishable();
            few = few || (cell.seconds && !cell.interval);
            const std::string name = fmt::format("{} {}", row.engine, table.columns[column]);
            if (!cell.seconds)
                table.notes.push_back(fmt::format("- {}: {}", name, cell.reason));
            else if (cell.made > cell.runs)
                table.notes.push_back(fmt::format(
                    "{}: {} of {} runs are not counted: {}", name, cell.made - cell.runs, cell.made, cell.reason));
        }
    }
    if (stars)
        table.notes.push_back("* Guest time and host time differed by more than 1 % in at least one run.");
    if (alike)
        table.notes.push_back("≈ Not distinguishable: the 95 % interval of the change holds 0 %.");
    if (few)
        table.notes.push_back(fmt::format("Under {} runs there are no intervals.", fewestForInterval));
    if (table.baseName.empty())
        table.notes.push_back("There is no 1(d) that percents could be of.");
    if (!experiment.finished())
        table.notes.push_back(
            fmt::format("{} of {} runs have ended.", experiment.runs.size(), experiment.runsWanted()));
}

} // namespace

ResultTable resultTable(const Experiment& experiment)
{
    const ExperimentSettings& settings = experiment.settings;
    ResultTable table;
    table.title = settings.name;
    table.host
        = fmt::format("{}, {} CPUs, {}", experiment.host.processor, experiment.host.cpus, experiment.host.kernel);
    table.columns = columnNames(settings.columns);
    for (size_t engine = 0; engine < settings.engines.size(); ++engine) {
        const bool isYardstick = settings.engines[engine] == yardstick;
        ResultRow row { settings.engines[engine] + (isYardstick ? " (yardstick)" : ""), noteOf(experiment, engine),
            {} };
        for (size_t column = 0; column < settings.columns.size(); ++column)
            row.cells.push_back(cellOf(experiment, { engine, column }));
        table.rows.push_back(std::move(row));
    }
    if (const auto place = basePlace(experiment)) {
        table.baseName = fmt::format("{} {}", table.rows[place->engine].engine, table.columns[place->column]);
        ResultCell& base = table.rows[place->engine].cells[place->column];
        base.base = true;
        for (ResultRow& row : table.rows) {
            for (ResultCell& cell : row.cells)
                compareWith(base, cell, settings.seed);
        }
    }
    addNotes(table, experiment);
    return table;
}

} // namespace namsan
