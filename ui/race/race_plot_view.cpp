// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/race/race_plot_view.h"

#include "ui/common/plot_colours.h"
#include "ui/common/theme.h"

#include <QFontMetrics>
#include <QPainter>

namespace namsan {

RacePlotView::RacePlotView(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("racePlot"));
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(tr("Plot of the round that goes on; the lanes above hold the same figures"));
}

void RacePlotView::display(RacePlotContent content)
{
    m_content = std::move(content);
    setAccessibleDescription(QString::fromStdString(RacePlot(m_content, PlotColours::light(), font()).description()));
    update();
}

QSize RacePlotView::minimumSizeHint() const
{
    const int line = QFontMetrics(font()).height();
    return { 24 * line, 9 * line };
}

void RacePlotView::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    RacePlot(m_content, plotColours(palette()), font()).paint(painter, rect());
    if (hasFocus()) {
        painter.setPen(QPen(themeTokens(palette()).accent, 2));
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
    }
}

} // namespace namsan
