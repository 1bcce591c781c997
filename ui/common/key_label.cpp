// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/key_label.h"

#include "ui/common/theme.h"

#include <QPainter>

namespace namsan {

KeyLabel::KeyLabel(const QString& key, QWidget* parent)
    : QLabel(key, parent)
{
    setFont(scaledFont(font(), 0.92));
    setContentsMargins(7, 2, 7, 3);
}

void KeyLabel::paintEvent(QPaintEvent* event)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF cap = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -1.5);
    painter.setPen(Qt::NoPen);
    painter.setBrush(tokens.border);
    painter.drawRoundedRect(cap.translated(0, 1), 3, 3);
    painter.setPen(tokens.border);
    painter.setBrush(tokens.raised);
    painter.drawRoundedRect(cap, 3, 3);
    painter.end();
    QLabel::paintEvent(event);
}

} // namespace namsan
