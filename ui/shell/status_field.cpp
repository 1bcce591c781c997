// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/status_field.h"

#include "ui/common/theme.h"

#include <QPainter>

namespace namsan {

namespace {

void paintFocus(QPainter& painter, const QWidget& widget, const ThemeTokens& tokens)
{
    if (!widget.hasFocus())
        return;
    painter.setPen(QPen(tokens.accent, 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(widget.rect()).adjusted(1, 1, -1, -1), 4, 4);
}

} // namespace

StatusField::StatusField(const QString& caption, QWidget* parent)
    : QAbstractButton(parent)
{
    setFont(scaledFont(font(), 0.92));
    setFocusPolicy(Qt::TabFocus);
    setText(caption);
}

void StatusField::setValue(const QString& value)
{
    if (value == m_value)
        return;
    m_value = value;
    setAccessibleName(QStringLiteral("%1 %2").arg(text(), value));
    updateGeometry();
    update();
}

QSize StatusField::sizeHint() const
{
    const QFontMetrics bold(scaledFont(font(), 1, QFont::Bold));
    return { fontMetrics().horizontalAdvance(text()) + bold.horizontalAdvance(m_value) + 24,
        fontMetrics().height() + 4 };
}

void StatusField::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setPen(tokens.border);
    painter.drawLine(0, 3, 0, height() - 4);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(tokens.text);
    const QRect room = rect().adjusted(10, 0, -6, 0);
    painter.drawText(room, Qt::AlignVCenter | Qt::AlignLeft, text());
    const int advance = fontMetrics().horizontalAdvance(text() + QLatin1Char(' '));
    painter.setFont(scaledFont(font(), 1, QFont::Bold));
    painter.drawText(room.adjusted(advance, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, m_value);
    paintFocus(painter, *this, tokens);
}

EngineBadge::EngineBadge(QWidget* parent)
    : QAbstractButton(parent)
{
    setFont(scaledFont(font(), 0.85, QFont::Bold));
    setFocusPolicy(Qt::TabFocus);
}

QSize EngineBadge::sizeHint() const
{
    return { fontMetrics().horizontalAdvance(text()) + 18, fontMetrics().height() + 4 };
}

void EngineBadge::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(tokens.border);
    painter.setBrush(tokens.base);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
    painter.setPen(tokens.text);
    painter.drawText(rect(), Qt::AlignCenter, text());
    paintFocus(painter, *this, tokens);
}

} // namespace namsan
