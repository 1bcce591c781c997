// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/progress_line.h"

#include "ui/common/theme.h"

#include <QFontMetrics>
#include <QPainter>

#include <algorithm>

namespace namsan {

ProgressLine::ProgressLine(QWidget* parent)
    : QProgressBar(parent)
{
    setTextVisible(false);
    setFixedHeight(QFontMetrics(font()).height() / 2);
}

void ProgressLine::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(tokens.track);
    painter.drawRoundedRect(rect(), 2, 2);
    const double share = static_cast<double>(value() - minimum()) / std::max(1, maximum() - minimum());
    QRectF done(rect());
    done.setWidth(done.width() * std::clamp(share, 0.0, 1.0));
    painter.setBrush(tokens.accent);
    painter.drawRoundedRect(done, 2, 2);
}

} // namespace namsan
