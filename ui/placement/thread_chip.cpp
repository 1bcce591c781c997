// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/placement/thread_chip.h"

#include "ui/common/symbolic_icon.h"

#include <QApplication>
#include <QCoreApplication>
#include <QKeyEvent>
#include <QPainter>

namespace namsan {

QString threadName(unsigned thread)
{
    if (thread == 0)
        return QCoreApplication::translate("threads", "VMM");
    return QCoreApplication::translate("threads", "vCPU %1").arg(thread - 1);
}

void paintChip(
    QPainter& painter, const QRectF& rect, const ChipLook& look, const ThemeTokens& tokens, const QFont& font)
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const QColor colour = threadColour(tokens, look.thread);
    const QRectF body = rect.adjusted(0.5, 0.5, -0.5, -0.5);
    const qreal radius = look.thread == 0 ? 3 : body.height() / 2;

    if (look.ghost) {
        QPen pen(colour, 1);
        pen.setDashPattern({ 3, 3 });
        painter.setPen(pen);
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(body, radius, radius);
        painter.setFont(scaledFont(font, 0.85));
        painter.setPen(tokens.text);
        painter.drawText(rect, Qt::AlignCenter, look.label);
        painter.restore();
        return;
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    painter.drawRoundedRect(body, radius, radius);
    painter.setBrush(Qt::NoBrush);
    if (threadHasInnerRing(look.thread)) {
        painter.setPen(QPen(tokens.chipText, 1));
        painter.drawRoundedRect(body.adjusted(2, 2, -2, -2), radius - 2, radius - 2);
    }
    if (look.pickedUp) {
        painter.setPen(QPen(tokens.chipText, 1.5));
        painter.drawRoundedRect(body.adjusted(2, 2, -2, -2), radius - 2, radius - 2);
    }

    QRectF textRect = rect;
    painter.setFont(scaledFont(font, 0.85, QFont::DemiBold));
    if (look.warning) {
        constexpr qreal iconSize = 12;
        const qreal width = painter.fontMetrics().horizontalAdvance(look.label) + iconSize + 3;
        const QRectF icon(rect.center().x() - width / 2, rect.center().y() - iconSize / 2, iconSize, iconSize);
        colouredIcon(QStringLiteral("dialog-warning"), tokens.chipText).paint(&painter, icon.toAlignedRect());
        textRect.setLeft(icon.right() + 3);
        textRect.setRight(textRect.left() + width);
        painter.setPen(tokens.chipText);
        painter.drawText(textRect, Qt::AlignVCenter | Qt::AlignLeft, look.label);
    } else {
        painter.setPen(tokens.chipText);
        painter.drawText(textRect, Qt::AlignCenter, look.label);
    }
    painter.restore();
}

// The widget is larger than the chip by the focus ring: 2 px wide, 2 px away.
static constexpr int ringRoom = 4;

ThreadChip::ThreadChip(unsigned thread, QWidget* parent)
    : QWidget(parent)
    , m_thread(thread)
{
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::OpenHandCursor);
    setAccessibleName(threadName(thread));
}

void ThreadChip::setWarning(bool warning)
{
    if (m_warning != warning) {
        m_warning = warning;
        update();
    }
}

void ThreadChip::setPickedUp(bool pickedUp)
{
    m_pickedUp = pickedUp;
    update();
}

void ThreadChip::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const ThemeTokens tokens = themeTokens(palette());
    const QRectF chip = QRectF(rect()).adjusted(ringRoom, ringRoom, -ringRoom, -ringRoom);
    paintChip(painter, chip, { m_thread, threadName(m_thread), false, m_warning, false, m_pickedUp || m_dragging },
        tokens, font());
    if (hasFocus() || m_pickedUp) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(m_pickedUp ? tokens.text : tokens.accent, 2));
        painter.setBrush(Qt::NoBrush);
        const QRectF ring = QRectF(rect()).adjusted(1, 1, -1, -1);
        const qreal radius = m_thread == 0 ? 5 : ring.height() / 2;
        painter.drawRoundedRect(ring, radius, radius);
    }
}

void ThreadChip::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton)
        m_pressedAt = event->pos();
}

void ThreadChip::mouseMoveEvent(QMouseEvent* event)
{
    if (!(event->buttons() & Qt::LeftButton))
        return;
    if (!m_dragging) {
        if ((event->pos() - m_pressedAt).manhattanLength() < QApplication::startDragDistance())
            return;
        m_dragging = true;
        setCursor(Qt::ClosedHandCursor);
        raise();
        emit dragStarted();
    }
    move(mapToParent(event->pos() - m_pressedAt));
    emit draggedTo(geometry().center());
}

void ThreadChip::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || !m_dragging)
        return;
    m_dragging = false;
    setCursor(Qt::OpenHandCursor);
    emit dropped(geometry().center());
}

void ThreadChip::keyPressEvent(QKeyEvent* event)
{
    if (m_dragging && event->key() == Qt::Key_Escape) {
        m_dragging = false;
        setCursor(Qt::OpenHandCursor);
        emit dragCancelled();
        return;
    }
    event->ignore();
    emit keyPressed(event);
    if (!event->isAccepted())
        QWidget::keyPressEvent(event);
}

void ThreadChip::focusInEvent(QFocusEvent* event)
{
    QWidget::focusInEvent(event);
    update();
}

void ThreadChip::focusOutEvent(QFocusEvent* event)
{
    QWidget::focusOutEvent(event);
    update();
}

} // namespace namsan
