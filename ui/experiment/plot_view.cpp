// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/plot_view.h"

#include "app/paint/experiment_plot.h"
#include "ui/common/plot_colours.h"
#include "ui/common/theme.h"

#include <QFontMetrics>
#include <QPainter>

namespace namsan {

PlotView::PlotView(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("experimentPlot"));
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(tr("Plot of the runs; the table below holds the same figures"));
}

void PlotView::display(const ResultTable& table)
{
    m_table = table;
    setAccessibleDescription(
        QString::fromStdString(ExperimentPlot(m_table, PlotColours::light(), font()).description()));
    update();
}

QSize PlotView::minimumSizeHint() const
{
    const int line = QFontMetrics(font()).height();
    return { 24 * line, 12 * line };
}

void PlotView::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const ThemeTokens tokens = themeTokens(palette());
    if (m_table.columns.empty()) {
        painter.fillRect(rect(), tokens.base);
        painter.setPen(tokens.secondaryText);
        painter.drawText(rect(), Qt::AlignCenter, tr("Each run that ends becomes a dot here."));
    } else {
        ExperimentPlot(m_table, plotColours(palette()), font()).paint(painter, rect());
    }
    if (hasFocus()) {
        painter.setPen(QPen(tokens.accent, 2));
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
    }
}

} // namespace namsan
