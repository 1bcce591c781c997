// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/race/rounds_table.h"

#include "app/lab/race_lanes.h"
#include "app/lab/race_result.h"
#include "app/lab/result_text.h"
#include "ui/common/theme.h"

#include <QHeaderView>

namespace namsan {

namespace {

QString toQt(const std::string& text)
{
    return QString::fromStdString(text);
}

} // namespace

RoundsTable::RoundsTable(QWidget* parent)
    : QTableWidget(parent)
{
    setObjectName(QStringLiteral("rounds"));
    setAccessibleName(RoundsTable::tr("Rounds: guest seconds of each lane"));
    setFont(scaledFont(font(), 0.92));
    setEditTriggers(NoEditTriggers);
    setSelectionMode(SingleSelection);
    setTabKeyNavigation(false);
    setShowGrid(false);
    setFrameShape(QFrame::NoFrame);
    viewport()->setAutoFillBackground(false); // it lies on the page
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
}

void RoundsTable::display(const Race& race)
{
    const auto& rounds = race.rounds();
    setHeader(race.settings());
    const bool withMedians = std::ranges::any_of(rounds, &RaceRound::counted);
    setRowCount(static_cast<int>(rounds.size()) + (withMedians ? 1 : 0));
    for (size_t number = 0; number < rounds.size(); ++number)
        fillRound(static_cast<int>(number), number, rounds[number]);
    if (withMedians)
        fillMedians(rowCount() - 1, race);
    scrollToBottom();
}

void RoundsTable::setHeader(const RaceSettings& settings)
{
    QStringList names { QString() };
    for (size_t lane = 0; lane < settings.lanes.size(); ++lane)
        names << toQt(laneName(lane, settings.lanes[lane]));
    if (settings.lanes.size() == 2) // more lanes have it in their cells
        names << tr("B against A");
    if (columnCount() == names.size() && horizontalHeaderItem(1)->text() == names[1]
        && horizontalHeaderItem(2)->text() == names[2])
        return;
    setColumnCount(static_cast<int>(names.size()));
    for (int column = 0; column < columnCount(); ++column) {
        auto* header = new QTableWidgetItem(names[column]);
        header->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        setHorizontalHeaderItem(column, header);
    }
    horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
}

void RoundsTable::put(int row, int column, const QString& text, const QString& detail)
{
    auto* cell = new QTableWidgetItem(text);
    cell->setTextAlignment((column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    cell->setToolTip(detail);
    setItem(row, column, cell);
}

void RoundsTable::fillRound(int row, size_t number, const RaceRound& round)
{
    const size_t lanes = round.lanes.size();
    const QString apart = round.skew ? tr("Started within %1").arg(toQt(skewText(*round.skew))) : QString();
    put(row, 0, QString::number(number + 1), apart);
    for (size_t lane = 0; lane < lanes; ++lane) {
        QString text = toQt(roundCell(round.lanes[lane]));
        const QString change = toQt(roundComparison(round, lane));
        if (lanes > 2 && lane > 0 && !change.isEmpty())
            text += QStringLiteral(" (%1)").arg(change);
        put(row, static_cast<int>(lane) + 1, text,
            round.lanes[lane].reason.empty() ? apart : toQt(round.lanes[lane].reason));
    }
    if (lanes == 2)
        put(row, 3, toQt(roundComparison(round, 1)), apart);
}

void RoundsTable::fillMedians(int row, const Race& race)
{
    const std::vector<LaneResult> results = laneResults(race);
    put(row, 0, tr("Median"));
    for (size_t lane = 0; lane < results.size(); ++lane) {
        const LaneResult& result = results[lane];
        QString text = toQt(secondsText(result.median.value_or(0)))
            + (result.guestTimeOff ? QStringLiteral("* s") : QStringLiteral(" s"));
        const QString change = result.ratio ? toQt(percentText(*result.ratio)) : QString();
        const QString interval = result.ratioInterval
            ? tr("95 % interval of the change: %1 to %2")
                  .arg(toQt(percentText(result.ratioInterval->low)), toQt(percentText(result.ratioInterval->high)))
            : QString();
        if (results.size() > 2 && !change.isEmpty())
            text += QStringLiteral(" (%1)").arg(change);
        put(row, static_cast<int>(lane) + 1, text, interval);
        if (results.size() == 2 && lane == 1)
            put(row, 3, change, interval);
    }
    for (int column = 0; column < columnCount(); ++column) {
        QFont bold = font();
        bold.setWeight(QFont::DemiBold);
        if (QTableWidgetItem* cell = item(row, column))
            cell->setFont(bold);
    }
}

QSize RoundsTable::sizeHint() const
{
    return { 320, horizontalHeader()->sizeHint().height() + std::max(rowCount(), 3) * rowHeight(0) + 4 };
}

QSize RoundsTable::minimumSizeHint() const
{
    return { 280, horizontalHeader()->sizeHint().height() + 2 * verticalHeader()->defaultSectionSize() };
}

} // namespace namsan
