// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/timing/legend_entry.h"

#include "ui/common/theme.h"
#include "ui/placement/thread_chip.h"

#include <QPainter>

namespace namsan {

namespace {

constexpr int lineLength = 22;

} // namespace

LegendEntry::LegendEntry(unsigned thread, QWidget* parent)
    : QAbstractButton(parent)
    , m_thread(thread)
{
    setText(threadName(thread));
    setCheckable(true);
    setChecked(true);
    setFont(scaledFont(font(), 0.92));
    setToolTip(tr("Show or hide the line of %1").arg(text()));
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

QSize LegendEntry::sizeHint() const
{
    return { lineLength + 6 + fontMetrics().horizontalAdvance(text()) + 8, fontMetrics().height() + 6 };
}

void LegendEntry::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QPen pen = threadPen(tokens, m_thread);
    if (!isChecked())
        pen.setColor(tokens.disabled);
    painter.setPen(pen);
    const qreal middle = height() / 2.0;
    painter.drawLine(QPointF(4, middle), QPointF(4 + lineLength, middle));
    painter.setPen(isChecked() ? tokens.text : tokens.disabled);
    QFont textFont = font();
    textFont.setStrikeOut(!isChecked());
    painter.setFont(textFont);
    painter.drawText(rect().adjusted(lineLength + 10, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, text());
    if (hasFocus()) {
        painter.setPen(QPen(tokens.accent, 2));
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 4, 4);
    }
}

} // namespace namsan
