// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/result_view.h"

#include "app/lab/result_text.h"
#include "ui/common/theme.h"

#include <QHeaderView>

#include <algorithm>

namespace namsan {

namespace {

QString toQt(const std::string& text)
{
    return QString::fromStdString(text);
}

} // namespace

ResultView::ResultView(const QString& accessibleName, QWidget* parent)
    : QTableWidget(parent)
{
    setAccessibleName(accessibleName);
    setFont(scaledFont(font(), 0.92));
    setEditTriggers(NoEditTriggers);
    setSelectionMode(SingleSelection);
    setSelectionBehavior(SelectItems);
    setTabKeyNavigation(false);
    setShowGrid(false);
    setAlternatingRowColors(true);
    setVerticalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(2 * fontMetrics().height() + 8);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    horizontalHeader()->setMinimumSectionSize(fontMetrics().horizontalAdvance(QStringLiteral("(−100 %)")) + 8);
    connect(this, &QTableWidget::currentCellChanged, this, [this] { emit detailChanged(detail()); });
}

void ResultView::display(const ResultTable& table)
{
    const auto place = std::pair(currentRow(), currentColumn());
    m_table = table;
    blockSignals(true); // the cell that is current stays so
    setColumnCount(static_cast<int>(table.columns.size()) + 1);
    setRowCount(static_cast<int>(table.rows.size()));
    auto* engine = new QTableWidgetItem(tr("Engine"));
    engine->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    setHorizontalHeaderItem(0, engine);
    for (size_t column = 0; column < table.columns.size(); ++column) {
        auto* header = new QTableWidgetItem(toQt(table.columns[column]));
        header->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        setHorizontalHeaderItem(static_cast<int>(column) + 1, header);
    }
    for (size_t row = 0; row < table.rows.size(); ++row)
        fillRow(row);
    setCurrentCell(std::min(place.first, rowCount() - 1), std::min(place.second, columnCount() - 1));
    blockSignals(false);
    updateGeometry();
    emit detailChanged(detail());
}

void ResultView::fillRow(size_t row)
{
    const ResultRow& content = m_table.rows[row];
    auto* name = new QTableWidgetItem(toQt(content.engine));
    name->setToolTip(toQt(content.note));
    QFont bold = font();
    bold.setWeight(QFont::DemiBold);
    name->setFont(bold);
    setItem(static_cast<int>(row), 0, name);
    const QColor faint = themeTokens(palette()).secondaryText;
    for (size_t column = 0; column < content.cells.size(); ++column) {
        const ResultCell& cell = content.cells[column];
        const QString comparison = toQt(comparisonLine(cell));
        QString text = toQt(secondsLine(cell));
        if (!comparison.isEmpty())
            text += QLatin1Char('\n') + comparison;
        auto* item = new QTableWidgetItem(text);
        item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        const QString full = toQt(cellDetail(m_table, row, column));
        item->setToolTip(full);
        item->setData(Qt::AccessibleTextRole, full);
        if (cell.made < cell.wanted)
            item->setForeground(faint);
        setItem(static_cast<int>(row), static_cast<int>(column) + 1, item);
    }
}

QString ResultView::detail() const
{
    const auto row = static_cast<size_t>(std::max(currentRow(), 0));
    const auto column = static_cast<size_t>(std::max(currentColumn(), 1)) - 1;
    if (currentColumn() < 1 || row >= m_table.rows.size() || column >= m_table.columns.size())
        return {};
    return toQt(cellDetail(m_table, row, column));
}

QSize ResultView::sizeHint() const
{
    const int rows = std::clamp(rowCount(), 1, 5);
    return { 400, horizontalHeader()->sizeHint().height() + rows * verticalHeader()->defaultSectionSize() + 4 };
}

} // namespace namsan
