// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/result_table.h"

#include "app/lab/published_tables.h"
#include "app/lab/result_export.h"
#include "app/lab/result_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace namsan {

namespace {

Experiment experimentOf(const std::vector<std::pair<size_t, std::vector<double>>>& columns)
{
    Experiment experiment;
    experiment.settings = { "first", "kbuild", "smoke", { "soft" }, *parseColumns("1s,1d,2s"), 6, 4711 };
    experiment.host = { "a processor", "Linux 6.1", 8 };
    for (const auto& [column, values] : columns) {
        for (unsigned i = 0; i < values.size(); ++i) {
            ExperimentRun run;
            run.planned = { { 0, column }, i };
            run.guestSeconds = run.hostSeconds = values[i];
            run.engineName = "soft:translator";
            experiment.runs.push_back(run);
        }
    }
    return experiment;
}

const std::vector<double> slow { 61.2, 60.9, 61.4, 63.0, 61.0, 62.1 };
const std::vector<double> middle { 58.1, 57.3, 58.4, 60.8, 58.0, 59.2 };
const std::vector<double> fast { 33.9, 33.1, 34.8, 34.0, 33.5, 35.2 };

} // namespace

TEST(ResultTextTest, SecondsHaveAtLeastTwoDigitsThatTell)
{
    EXPECT_EQ(secondsText(754), "754");
    EXPECT_EQ(secondsText(99.96), "100");
    EXPECT_EQ(secondsText(58.44), "58.4");
    EXPECT_EQ(secondsText(1), "1.0");
    EXPECT_EQ(secondsText(0.944), "0.94");
    EXPECT_EQ(secondsText(0.0512), "0.051");
    EXPECT_EQ(secondsText(0), "0.0");
}

TEST(ResultTextTest, PercentsHaveTheirSign)
{
    EXPECT_EQ(percentText(1.049), "+5\u00a0%");
    EXPECT_EQ(percentText(0.58), "\u221242\u00a0%");
    EXPECT_EQ(percentText(1.004), "0\u00a0%");
}

TEST(ResultTableTest, HasThePublishedForm)
{
    const ResultTable table = resultTable(experimentOf({ { 0, slow }, { 1, middle }, { 2, fast } }));
    EXPECT_EQ(table.columns, (std::vector<std::string> { "1(s)", "1(d)", "2(s)" }));
    ASSERT_EQ(table.rows.size(), 1u);
    EXPECT_EQ(table.rows[0].engine, "soft");
    EXPECT_EQ(table.rows[0].note, "soft:translator");
    EXPECT_EQ(cellText(table.rows[0].cells[0]), "61.3 (+5\u00a0%)");
    EXPECT_EQ(cellText(table.rows[0].cells[1]), "58.2 (base)");
    EXPECT_EQ(cellText(table.rows[0].cells[2]), "34.0 (\u221242\u00a0%)");
    EXPECT_EQ(table.baseName, "soft 1(d)");
    EXPECT_TRUE(table.notes.empty());
}

TEST(ResultTableTest, APlaceboIsNotDistinguishable)
{
    Experiment experiment = experimentOf({ { 0, middle }, { 1, { 58.0, 57.5, 58.6, 60.1, 58.3, 59.0 } } });
    experiment.settings.columns = *parseColumns("1d,1d");
    const ResultTable table = resultTable(experiment);
    EXPECT_EQ(table.columns[1], "1(d) again");
    EXPECT_TRUE(table.rows[0].cells[1].notDistinguishable());
    EXPECT_EQ(cellText(table.rows[0].cells[1]), "58.5 (≈)");
    EXPECT_NE(cellDetail(table, 0, 1).find("not distinguishable"), std::string::npos);
}

TEST(ResultTableTest, AStarForGuestTimeADashForWhatCannotBe)
{
    Experiment experiment = experimentOf({ { 1, middle }, { 0, slow } });
    experiment.runs.back().hostSeconds *= 1.02;
    experiment.unavailable[{ 0, 2 }] = "2(s) needs 2 logical CPUs; this host has 1.";
    const ResultTable table = resultTable(experiment);
    EXPECT_EQ(secondsLine(table.rows[0].cells[0]), "61.3*");
    EXPECT_EQ(cellText(table.rows[0].cells[2]), "-");
    EXPECT_EQ(table.notes,
        (std::vector<std::string> { "- soft 2(s): 2(s) needs 2 logical CPUs; this host has 1.",
            "* Guest time and host time differed by more than 1 % in at least one run." }));
}

TEST(ResultTableTest, RunsThatFailedAreToldAndNotCounted)
{
    Experiment experiment = experimentOf({ { 1, middle }, { 0, slow } });
    experiment.runs.back().status = RunStatus::Misplaced;
    experiment.runs.back().reason = "It was seen on CPU 3.";
    const ResultTable table = resultTable(experiment);
    EXPECT_EQ(table.rows[0].cells[0].runs, 5u);
    EXPECT_FALSE(table.rows[0].cells[0].ratioInterval);
    EXPECT_NE(std::ranges::find(table.notes, "soft 1(s): 1 of 6 runs are not counted: It was seen on CPU 3."),
        table.notes.end());
}

TEST(ResultTableTest, AnUnfinishedCellSaysHowFarItIs)
{
    const ResultTable table = resultTable(experimentOf({ { 1, middle }, { 0, { 61, 62 } } }));
    EXPECT_EQ(cellText(table.rows[0].cells[0]), "61.5 2 of 6");
    EXPECT_EQ(cellText(table.rows[0].cells[2]), "-");
}

TEST(PublishedTablesTest, AreAsTheyWerePrinted)
{
    const PublishedTables published = publishedTables();
    ASSERT_EQ(published.tables.size(), 4u);
    const ResultTable& nightly = published.tables[2];
    EXPECT_EQ(nightly.title, "Nightly test machine");
    ASSERT_EQ(nightly.rows.size(), 4u);
    EXPECT_EQ(cellText(nightly.rows[1].cells[0]), "416 (+3\u00a0%)");
    EXPECT_EQ(cellText(nightly.rows[1].cells[1]), "403 (base)");
    EXPECT_EQ(cellText(nightly.rows[0].cells[1]), "402 (0\u00a0%)");
    // Printed so, though 167 s would be -59 %.
    EXPECT_EQ(cellText(nightly.rows[2].cells[5]), "167 (\u221234\u00a0%)");
    EXPECT_EQ(cellText(nightly.rows[3].cells[0]), "-");
    EXPECT_EQ(cellText(published.tables[3].rows[2].cells[1]), "981* (+71\u00a0%)");
}

TEST(ResultExportTest, CsvHasOneLineForEachRun)
{
    Experiment experiment = experimentOf({ { 0, slow }, { 1, middle } });
    experiment.runs[3].status = RunStatus::Failed;
    experiment.runs[3].reason = "It said \"no\",\nand ended.";
    const std::string csv = toCsv(experiment);
    EXPECT_EQ(std::ranges::count(csv, '\n'), 13);
    EXPECT_TRUE(csv.starts_with("experiment,workload,size,engine,column,"));
    EXPECT_NE(csv.find("\nfirst,kbuild,smoke,soft,1s,1,1,ok,61.2,61.2,0,0,soft:translator,,\n"), std::string::npos)
        << csv;
    EXPECT_NE(csv.find("\"It said \"\"no\"\", and ended.\""), std::string::npos);
}

TEST(ResultExportTest, JsonAndMarkdownHoldBothTables)
{
    const Experiment experiment = experimentOf({ { 0, slow }, { 1, middle }, { 2, fast } });
    const ResultTable table = resultTable(experiment);
    const auto json = nlohmann::json::parse(toJson(experiment, table, publishedTables()));
    EXPECT_EQ(json["runs"].size(), 18u);
    EXPECT_EQ(json["table"]["rows"][0]["cells"][2]["text"], "34.0 (\u221242\u00a0%)");
    EXPECT_EQ(json["published"]["tables"].size(), 4u);
    const std::string markdown = toMarkdown(experiment, table, publishedTables());
    EXPECT_NE(markdown.find("| Engine | 1(s) | 1(d) | 2(s) |"), std::string::npos);
    EXPECT_NE(markdown.find("| nova | 754 (+5\u00a0%) | 719 (base) |"), std::string::npos);
    EXPECT_NE(
        markdown.find("namsan experiment run kbuild --size smoke --engine soft --columns 1s,1d,2s --repetitions 6 "
                      "--seed 4711 --name first"),
        std::string::npos);
}

} // namespace namsan
