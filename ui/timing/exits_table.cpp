// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/timing/exits_table.h"

#include "ui/common/bar_delegate.h"
#include "ui/common/numbers.h"
#include "ui/common/theme.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPainter>
#include <QVBoxLayout>

#include <algorithm>

namespace namsan {

namespace {

enum Column { KindColumn, BarColumn, RateColumn, ColumnCount };

QString nameOf(ExitRate::Kind kind)
{
    switch (kind) {
    case ExitRate::Kind::MemoryWrite:
        return ExitsTable::tr("Memory write");
    case ExitRate::Kind::Interrupt:
        return ExitsTable::tr("Interrupt");
    case ExitRate::Kind::PortWrite:
        return ExitsTable::tr("Port write");
    case ExitRate::Kind::PortRead:
        return ExitsTable::tr("Port read");
    case ExitRate::Kind::MemoryRead:
        return ExitsTable::tr("Memory read");
    case ExitRate::Kind::Woken:
        return ExitsTable::tr("Woken");
    case ExitRate::Kind::Halted:
        break;
    }
    return ExitsTable::tr("Halted");
}

} // namespace

ExitsTable::ExitsTable(QWidget* parent)
    : QWidget(parent)
    , m_total(new QLabel)
    , m_table(new QTableWidget(0, ColumnCount))
{
    setFont(scaledFont(font(), 0.92));
    auto* caption = new QLabel(tr("Exits per second"));
    caption->setFont(scaledFont(font(), 1, QFont::DemiBold));
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setShowGrid(false);
    m_table->setEditTriggers(QTableWidget::NoEditTriggers);
    m_table->setSelectionMode(QTableWidget::NoSelection);
    m_table->setFocusPolicy(Qt::TabFocus);
    m_table->setAccessibleName(tr("Exits per second by kind"));
    m_table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_table->horizontalHeader()->hide();
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setMinimumSectionSize(16);
    m_table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
    m_table->setItemDelegateForColumn(BarColumn, new BarDelegate(false, this));
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_table->horizontalHeader()->setSectionResizeMode(BarColumn, QHeaderView::Stretch);
    m_table->horizontalHeader()->setMinimumSectionSize(20);
    const auto widthOf = [this](const QString& text) { return fontMetrics().horizontalAdvance(text); };
    m_table->setColumnWidth(KindColumn, widthOf(tr("Memory write")) + 12);
    m_table->setColumnWidth(RateColumn, widthOf(QStringLiteral("88 888 888")) + 8);
    QPalette flat = palette();
    flat.setColor(QPalette::Base, flat.color(QPalette::Window));
    m_table->setPalette(flat);

    auto* head = new QHBoxLayout;
    head->setContentsMargins(3, 0, 4, 0);
    head->addWidget(caption);
    head->addStretch(1);
    head->addWidget(m_total);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(10, 8, 8, 4);
    column->setSpacing(4);
    column->addLayout(head);
    column->addWidget(m_table);
    setFixedWidth(m_table->columnWidth(KindColumn) + m_table->columnWidth(RateColumn) + 92);
}

void ExitsTable::showExits(const std::vector<ExitRate>& exits)
{
    double total = 0;
    double most = 1;
    for (const ExitRate& exit : exits) {
        total += exit.perSecond;
        most = std::max(most, exit.perSecond);
    }
    m_total->setText(exits.empty() ? QString() : wholeNumber(total));
    m_table->setRowCount(static_cast<int>(exits.size()));
    for (size_t i = 0; i < exits.size(); ++i) {
        const int row = static_cast<int>(i);
        if (!m_table->item(row, KindColumn)) {
            for (int column = 0; column < ColumnCount; ++column)
                m_table->setItem(row, column, new QTableWidgetItem);
            m_table->item(row, RateColumn)->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        }
        m_table->item(row, KindColumn)->setText(nameOf(exits[i].kind));
        m_table->item(row, BarColumn)->setData(BarDelegate::ShareRole, exits[i].perSecond / most);
        m_table->item(row, RateColumn)->setText(wholeNumber(exits[i].perSecond));
    }
}

void ExitsTable::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setPen(themeTokens(palette()).border);
    painter.drawLine(0, 6, 0, height() - 6);
}

} // namespace namsan
