// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/drift_gauge.h"

#include "ui/common/numbers.h"
#include "ui/common/theme.h"

#include <QLocale>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace namsan {

namespace {

constexpr double end = 0.01;
constexpr int trackLength = 76;

} // namespace

DriftGauge::DriftGauge(QWidget* parent)
    : QAbstractButton(parent)
{
    setFont(scaledFont(font(), 0.92));
    setFocusPolicy(Qt::TabFocus);
    setText(tr("Guest time"));
    setDrift(0);
}

void DriftGauge::setDrift(double drift)
{
    m_drift = drift;
    const QString amount = QLocale().toString(std::abs(drift) * 100, 'f', 2);
    const QString words
        = drift < 0 ? tr("Guest time %1 percent behind host") : tr("Guest time %1 percent ahead of host");
    QString sentence = std::abs(drift) < 0.00005 ? tr("Guest time keeps up with host") : words.arg(amount);
    if (level() != Level::KeepsUp)
        sentence += tr(": the host does not give the VM the time that it needs");
    setAccessibleName(sentence);
    setToolTip(sentence);
    update();
}

DriftGauge::Level DriftGauge::level() const
{
    const double off = std::abs(m_drift);
    return off >= end ? Level::FarOff : off >= end / 2 ? Level::Off : Level::KeepsUp;
}

QSize DriftGauge::sizeHint() const
{
    const QFontMetrics bold(scaledFont(font(), 1, QFont::Bold));
    return { fontMetrics().horizontalAdvance(text()) + trackLength + bold.horizontalAdvance(driftText(-0.888)) + 30,
        fontMetrics().height() + 4 };
}

void DriftGauge::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(tokens.text);
    painter.drawText(rect().adjusted(4, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, text());

    const qreal left = fontMetrics().horizontalAdvance(text()) + 14;
    const qreal middle = height() / 2.0;
    const QRectF track(left, middle - 2, trackLength, 4);
    painter.fillRect(track, tokens.track);
    painter.setPen(QPen(tokens.neutral, 1));
    for (const qreal x : { track.left(), track.center().x(), track.right() })
        painter.drawLine(QPointF(x, middle - 4), QPointF(x, middle + 4));

    const double share = std::clamp((m_drift / end + 1) / 2, 0.0, 1.0);
    const QPointF mark(track.left() + share * track.width(), middle);
    painter.setPen(Qt::NoPen);
    switch (level()) {
    case Level::KeepsUp:
        painter.setBrush(tokens.text);
        painter.drawEllipse(mark, 4, 4);
        break;
    case Level::Off:
        painter.setBrush(tokens.warning);
        painter.drawEllipse(mark, 4, 4);
        break;
    case Level::FarOff:
        painter.setBrush(tokens.error);
        painter.drawPolygon(QPolygonF { mark + QPointF(0, -5.5), mark + QPointF(5.5, 4.5), mark + QPointF(-5.5, 4.5) });
        break;
    }
    painter.setPen(tokens.text);
    painter.setFont(scaledFont(font(), 1, QFont::Bold));
    painter.drawText(QRectF(track.right() + 10, 0, width() - track.right() - 10, height()),
        Qt::AlignVCenter | Qt::AlignLeft, driftText(m_drift));
    if (hasFocus()) {
        painter.setPen(QPen(tokens.accent, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 4, 4);
    }
}

} // namespace namsan
