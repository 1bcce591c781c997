// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/start_pictures.h"

#include <QPainterPath>

namespace namsan {

namespace {

void fill(QPainter& painter, const QRectF& rect, const QColor& colour, qreal radius = 0)
{
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    painter.drawRoundedRect(rect, radius, radius);
}

void outline(QPainter& painter, const QRectF& rect, const QPen& pen, const QColor& ground, qreal radius)
{
    painter.setPen(pen);
    painter.setBrush(ground);
    painter.drawRoundedRect(rect, radius, radius);
}

// A host CPU with its number.
void paintCpu(QPainter& painter, const ThemeTokens& tokens, const QRectF& place, int number, bool isTarget)
{
    outline(painter, place, isTarget ? QPen(tokens.accent, 2, Qt::DashLine) : QPen(tokens.border, 1), tokens.base, 6);
    painter.setPen(tokens.secondaryText);
    painter.setFont(scaledFont(painter.font(), 0.85));
    painter.drawText(place.adjusted(10, 4, -4, 0), Qt::AlignLeft | Qt::AlignTop, QStringLiteral("CPU %1").arg(number));
    painter.setFont(scaledFont(painter.font(), 1 / 0.85));
}

void paintChip(QPainter& painter, const ThemeTokens& tokens, QPointF place, unsigned thread)
{
    const QRectF chip(place, QSizeF(80, 22));
    fill(painter, chip, threadColour(tokens, thread), thread == 0 ? 3 : 11);
    painter.setPen(tokens.chipText);
    painter.setFont(scaledFont(painter.font(), 0.85, QFont::DemiBold));
    painter.drawText(
        chip, Qt::AlignCenter, thread == 0 ? QStringLiteral("VMM") : QStringLiteral("vCPU %1").arg(thread - 1));
    painter.setFont(scaledFont(painter.font(), 1 / 0.85));
}

void paintPointer(QPainter& painter, const ThemeTokens& tokens, QPointF tip)
{
    QPainterPath arrow(tip);
    for (const QPointF corner :
        { QPointF(0, 16), QPointF(4, 12), QPointF(7, 19), QPointF(10, 17.5), QPointF(7, 11), QPointF(12, 11) })
        arrow.lineTo(tip + corner);
    arrow.closeSubpath();
    painter.setPen(QPen(tokens.base, 1));
    painter.setBrush(tokens.text);
    painter.drawPath(arrow);
}

} // namespace

void paintBrowserPicture(QPainter& painter, const ThemeTokens& tokens)
{
    const QRectF window(6, 16, 200, 134);
    outline(painter, window, QPen(tokens.border, 1), tokens.base, 5);
    fill(painter, QRectF(window.left() + 1, window.top() + 1, window.width() - 2, 24), tokens.track);
    for (const qreal x : { 14.0, 26.0 })
        fill(painter, QRectF(window.left() + x, window.top() + 9, 7, 7), tokens.neutral, 3.5);
    fill(painter, QRectF(window.left() + 40, window.top() + 7, 148, 11), tokens.base, 3);

    fill(painter, QRectF(22, 54, 92, 9), tokens.text);
    qreal y = 72;
    for (const qreal width : { 92.0, 84.0, 92.0, 70.0 }) {
        fill(painter, QRectF(22, y, width, 5), tokens.border);
        y += 11;
    }
    for (const qreal width : { 168.0, 140.0 }) {
        fill(painter, QRectF(22, y + 4, width, 5), tokens.border);
        y += 11;
    }
    fill(painter, QRectF(128, 54, 62, 56), tokens.selectedRow, 2);
    fill(painter, QRectF(166, 62, 12, 12), tokens.warning, 6);
    QPainterPath mountains(QPointF(128, 110));
    for (const QPointF corner : { QPointF(128, 100), QPointF(148, 84), QPointF(162, 98), QPointF(172, 90),
             QPointF(190, 104), QPointF(190, 110) })
        mountains.lineTo(corner);
    painter.setBrush(tokens.accent);
    painter.drawPath(mountains);
}

void paintPlacementPicture(QPainter& painter, const ThemeTokens& tokens)
{
    const QSizeF cpu(100, 76);
    paintCpu(painter, tokens, QRectF(QPointF(2, 2), cpu), 0, false);
    paintCpu(painter, tokens, QRectF(QPointF(110, 2), cpu), 1, false);
    paintCpu(painter, tokens, QRectF(QPointF(2, 86), cpu), 2, false);
    paintCpu(painter, tokens, QRectF(QPointF(110, 86), cpu), 3, true);
    paintChip(painter, tokens, { 12, 24 }, 0);
    paintChip(painter, tokens, { 120, 24 }, 1);
    paintChip(painter, tokens, { 12, 108 }, 2);
    // The third one is on its way.
    const QColor moving = threadColour(tokens, 3);
    outline(painter, QRectF(12, 134, 80, 22), QPen(moving, 1.2, Qt::DotLine), Qt::transparent, 11);
    painter.setPen(QPen(moving, 1.2, Qt::DotLine));
    painter.drawLine(QPointF(92, 145), QPointF(120, 145));
    paintChip(painter, tokens, { 120, 132 }, 3);
    paintPointer(painter, tokens, { 186, 146 });
}

void paintMeasuringPicture(QPainter& painter, const ThemeTokens& tokens)
{
    struct Column {
        const char* name;
        qreal centre;
        std::array<QPointF, 6> runs; // how far beside and below the centre
    };
    static constexpr std::array<Column, 4> columns { {
        { "1(s)", 36, { { { 0, -9 }, { -3, 3 }, { 4, 2 }, { 6, 4 }, { 1, 5 }, { -1, 1 } } } },
        { "1(d)", 42, { { { -4, -8 }, { 2, -5 }, { -2, 3 }, { 5, -1 }, { 1, 1 }, { -1, 6 } } } },
        { "2(s)", 92, { { { -4, 2 }, { 1, -4 }, { 5, -5 }, { 3, 1 }, { -1, 7 }, { 6, -2 } } } },
        { "2(d)", 96, { { { -3, 3 }, { 2, -3 }, { 4, 1 }, { 0, 0 }, { -5, 8 }, { 3, 5 } } } },
    } };
    constexpr qreal base = 136, left = 8;
    painter.setPen(QPen(tokens.plotGrid, 1));
    for (const qreal y : { 34.0, 68.0, 102.0 })
        painter.drawLine(QPointF(left, y), QPointF(208, y));
    painter.setPen(QPen(tokens.neutral, 1));
    painter.drawPolyline(QPolygonF({ { left, 4 }, { left, base }, { 208, base } }));
    painter.setFont(scaledFont(painter.font(), 0.85));
    qreal x = 32;
    for (const Column& column : columns) {
        for (const QPointF run : column.runs)
            fill(painter, QRectF(x + run.x() - 10, column.centre + run.y() - 3, 6, 6), tokens.accent, 3);
        painter.setPen(QPen(tokens.text, 1.5));
        const qreal bar = x + 12;
        painter.drawLine(QPointF(bar, column.centre - 8), QPointF(bar, column.centre + 7));
        for (const qreal end : { -8.0, 7.0 })
            painter.drawLine(QPointF(bar - 4, column.centre + end), QPointF(bar + 4, column.centre + end));
        fill(painter, QRectF(bar - 8, column.centre - 1.75, 16, 3.5), tokens.text);
        painter.setPen(tokens.text);
        painter.drawText(
            QRectF(x - 22, base + 4, 48, 20), Qt::AlignHCenter | Qt::AlignTop, QString::fromLatin1(column.name));
        x += 50;
    }
}

} // namespace namsan
