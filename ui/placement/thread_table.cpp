// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/placement/thread_table.h"

#include "ui/common/bar_delegate.h"
#include "ui/common/numbers.h"
#include "vmm/host/affinity.h"

#include <QCoreApplication>
#include <QHeaderView>
#include <QPainter>
#include <QStyledItemDelegate>

#include <algorithm>

namespace namsan {

namespace {

enum Column { ThreadColumn, AskedColumn, GrantedColumn, ObservedColumn, BarColumn, LoadColumn, ColumnCount };

class ChipDelegate final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        const auto thread = static_cast<unsigned>(index.row());
        const QRectF chip(option.rect.left(), option.rect.center().y() - option.fontMetrics.height() / 2 - 1,
            option.rect.width() - 8, option.fontMetrics.height() + 4);
        paintChip(*painter, chip, { thread, threadName(thread) }, themeTokens(option.palette), option.font);
    }
};

QString grantedText(const CpuSet& granted)
{
    if (granted.empty())
        return QStringLiteral("-");
    const QString cpus = QString::fromStdString(describe(granted));
    return granted.size() == 1 ? QCoreApplication::translate("ThreadTable", "CPU %1").arg(cpus) : cpus;
}

} // namespace

QString observedText(const std::map<LogicalCpu, double>& shares)
{
    if (shares.empty())
        return QCoreApplication::translate("ThreadTable", "not seen yet");
    if (shares.size() == 1)
        return QCoreApplication::translate("ThreadTable", "CPU %1").arg(shares.begin()->first);
    std::vector<std::pair<LogicalCpu, double>> sorted(shares.begin(), shares.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    QStringList parts;
    for (size_t i = 0; i < std::min<size_t>(2, sorted.size()); ++i)
        parts << QStringLiteral("%1: %2").arg(sorted[i].first).arg(percent(sorted[i].second));
    if (sorted.size() > 2)
        parts << QStringLiteral("…");
    return parts.join(QStringLiteral(", "));
}

ThreadTable::ThreadTable(unsigned threads, QWidget* parent)
    : QTableWidget(static_cast<int>(threads), ColumnCount, parent)
    , m_threads(threads)
{
    setFont(scaledFont(font(), 0.92));
    setFrameShape(QFrame::NoFrame);
    setShowGrid(false);
    setEditTriggers(NoEditTriggers);
    setSelectionMode(NoSelection);
    setFocusPolicy(Qt::TabFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setObjectName(QStringLiteral("threadTable"));
    setAccessibleName(tr("Threads of the VM: asked, granted and observed CPU, load"));
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 10);
    setItemDelegateForColumn(ThreadColumn, new ChipDelegate(this));
    setItemDelegateForColumn(BarColumn, new BarDelegate(true, this));
    setHorizontalHeaderLabels({ tr("Thread"), tr("Asked"), tr("Granted"), tr("Observed"), QString(), tr("Load") });
    horizontalHeaderItem(AskedColumn)->setToolTip(tr("Where it was asked to run"));
    horizontalHeaderItem(GrantedColumn)->setToolTip(tr("Where the host's kernel lets it run"));
    horizontalHeaderItem(ObservedColumn)->setToolTip(tr("Where it was seen running in the last 10 s"));
    QHeaderView& header = *horizontalHeader();
    header.setFont(font());
    header.setSectionsClickable(false);
    header.setHighlightSections(false);
    header.setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    header.setMinimumSectionSize(20);
    header.setSectionResizeMode(QHeaderView::Fixed);
    header.setSectionResizeMode(ObservedColumn, QHeaderView::Stretch);
    const auto widthOf = [this](const QString& text) { return fontMetrics().horizontalAdvance(text); };
    header.resizeSection(ThreadColumn, widthOf(QStringLiteral("vCPU 88")) + 18);
    const int padding = widthOf(QStringLiteral("n"));
    header.resizeSection(AskedColumn, std::max(widthOf(tr("Asked")), widthOf(QStringLiteral("CPU 88"))) + padding);
    header.resizeSection(GrantedColumn, widthOf(tr("Granted")) + padding);
    header.resizeSection(BarColumn, 30);
    header.resizeSection(LoadColumn, widthOf(QStringLiteral("100 %")) + padding);
    horizontalHeaderItem(LoadColumn)->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    for (int row = 0; row < rowCount(); ++row) {
        for (int column = 0; column < ColumnCount; ++column)
            setItem(row, column, new QTableWidgetItem);
        item(row, LoadColumn)->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        item(row, ThreadColumn)->setText(threadName(static_cast<unsigned>(row)));
    }
    QPalette flat = palette();
    flat.setColor(QPalette::Base, flat.color(QPalette::Window));
    setPalette(flat);
}

void ThreadTable::showThreads(const Placement& placement, const std::vector<PlacementView::Seen>& seen)
{
    const ThemeTokens tokens = themeTokens(palette());
    for (unsigned thread = 0; thread < std::min<size_t>(m_threads, seen.size()); ++thread) {
        const int row = static_cast<int>(thread);
        std::optional<LogicalCpu> asked = placement.vmm;
        if (thread > 0)
            asked = thread - 1 < placement.vcpus.size() ? placement.vcpus[thread - 1] : std::nullopt;
        item(row, AskedColumn)->setText(asked ? tr("CPU %1").arg(*asked) : tr("free"));
        item(row, GrantedColumn)->setText(grantedText(seen[thread].granted));
        item(row, GrantedColumn)->setToolTip(item(row, GrantedColumn)->text());
        item(row, ObservedColumn)->setText(observedText(seen[thread].shares));
        item(row, ObservedColumn)->setToolTip(item(row, ObservedColumn)->text());
        item(row, BarColumn)->setData(BarDelegate::ShareRole, seen[thread].load);
        item(row, BarColumn)->setData(BarDelegate::ColourRole, threadColour(tokens, thread));
        item(row, LoadColumn)->setText(percent(seen[thread].load));
    }
}

QSize ThreadTable::sizeHint() const
{
    const int rows = rowCount() * verticalHeader()->defaultSectionSize();
    return { 300, horizontalHeader()->sizeHint().height() + rows + 2 };
}

} // namespace namsan
