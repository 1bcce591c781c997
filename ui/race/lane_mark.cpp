// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/race/lane_mark.h"

#include "app/lab/race_lanes.h"
#include "app/paint/series_mark.h"
#include "ui/common/plot_colours.h"
#include "ui/common/theme.h"

#include <QPainter>

namespace namsan {

namespace {

QColor laneColour(size_t lane, const QPalette& palette)
{
    const auto series = plotColours(palette).series;
    return series[lane % series.size()];
}

} // namespace

LaneMark::LaneMark(size_t lane, QWidget* parent)
    : QWidget(parent)
    , m_lane(lane)
{
    const int size = 2 * fontMetrics().height();
    setFixedSize(size, size);
}

void LaneMark::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(laneColour(m_lane, palette()));
    const bool pointed = m_lane % 4 == 1 || m_lane % 4 == 2; // they reach further than their radius
    paintSeriesMark(painter, m_lane, QRectF(rect()).center(), width() / (pointed ? 2.6 : 2.0));
    painter.setPen(themeTokens(palette()).chipText);
    painter.setFont(scaledFont(font(), 1.15, QFont::Bold));
    painter.drawText(
        m_lane % 4 == 2 ? rect().translated(0, height() / 8) : rect(), Qt::AlignCenter, QChar(laneLetter(m_lane)));
}

LaneBar::LaneBar(size_t lane, QWidget* parent)
    : QWidget(parent)
    , m_lane(lane)
{
    setFixedHeight(fontMetrics().height() * 5 / 4);
}

void LaneBar::setShare(double share)
{
    if (share != m_share) {
        m_share = share;
        update();
    }
}

void LaneBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(themeTokens(palette()).track);
    painter.drawRoundedRect(rect(), 3, 3);
    QRectF done(rect());
    done.setWidth(done.width() * m_share);
    painter.setBrush(laneColour(m_lane, palette()));
    painter.drawRoundedRect(done, 3, 3);
}

} // namespace namsan
