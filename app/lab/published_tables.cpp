// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/published_tables.h"

#include "app/lab/column.h"

#include <QFile>
#include <QtGlobal>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

// The macro wants to stand outside of any namespace.
static void loadReference()
{
    Q_INIT_RESOURCE(reference);
}

namespace namsan {

namespace {

using Json = nlohmann::json;

ResultCell cellFrom(const Json& json, const std::string& engine, const Json& baseline)
{
    ResultCell cell;
    cell.seconds = json.at("seconds").get<double>();
    cell.printedPercent = json.at("printed_percent").get<int>();
    cell.guestTimeOff = json.at("guest_time_off").get<bool>();
    cell.base = engine == baseline.at("engine") && json.at("placement") == baseline.at("placement");
    cell.runs = cell.made = cell.wanted = 1;
    return cell;
}

ResultRow rowFrom(
    const Json& json, const std::vector<std::string>& placements, const Json& engines, const Json& baseline)
{
    ResultRow row { json.at("engine").get<std::string>(), {}, {} };
    row.note = engines.value(row.engine, std::string {});
    for (const std::string& placement : placements) {
        ResultCell cell;
        cell.reason = "Nothing was published here.";
        for (const Json& candidate : json.at("cells")) {
            if (candidate.at("placement") == placement)
                cell = cellFrom(candidate, row.engine, baseline);
        }
        row.cells.push_back(std::move(cell));
    }
    return row;
}

ResultTable tableFrom(const Json& json, const Json& engines)
{
    ResultTable table;
    table.title = json.at("machine").get<std::string>();
    table.host = fmt::format("{}, {} cores", json.at("processor").get<std::string>(), json.at("cores").get<int>());
    const auto placements = json.at("placements").get<std::vector<std::string>>();
    for (const std::string& placement : placements) {
        const auto column = parseColumn(placement);
        table.columns.push_back(column ? column->name() : placement);
    }
    const Json& baseline = json.at("baseline");
    table.baseName = fmt::format("{} 1(d)", baseline.at("engine").get<std::string>());
    for (const Json& row : json.at("rows"))
        table.rows.push_back(rowFrom(row, placements, engines, baseline));
    if (const auto note = json.value("note", std::string {}); !note.empty())
        table.notes.push_back(note);
    const bool anyStar = std::ranges::any_of(
        table.rows, [](const ResultRow& row) { return std::ranges::any_of(row.cells, &ResultCell::guestTimeOff); });
    if (anyStar)
        table.notes.push_back("* The guest's time was off against that of another host.");
    return table;
}

} // namespace

PublishedTables publishedTables()
{
    loadReference();
    QFile file(QStringLiteral(":/namsan/reference/seoul-2019-05.json"));
    const bool opened = file.open(QIODevice::ReadOnly);
    Q_ASSERT(opened);
    const QByteArray text = opened ? file.readAll() : QByteArray();
    // It is part of the program: if it can't be read, the program was built wrongly, and a test says so.
    const Json json = Json::parse(text.begin(), text.end());
    PublishedTables published { json.at("title"), json.at("published"), json.at("source"), json.at("workload"), {} };
    for (const Json& table : json.at("tables"))
        published.tables.push_back(tableFrom(table, json.at("engines")));
    return published;
}

} // namespace namsan
