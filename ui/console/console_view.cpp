// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/console/console_view.h"

#include "ui/console/key_positions.h"

#include <QCursor>
#include <QKeyEvent>
#include <QPaintEvent>
#include <QPainter>

#include <cmath>
#include <cstring>

namespace namsan {

namespace {

const QColor surround(0x0B, 0x0C, 0x0E); // in both themes

QSize toDevicePixels(const QSize& size, qreal ratio)
{
    return { static_cast<int>(std::floor(size.width() * ratio)), static_cast<int>(std::floor(size.height() * ratio)) };
}

std::optional<PointerButton> guestButton(Qt::MouseButton button)
{
    switch (button) {
    case Qt::LeftButton:
        return PointerButton::Left;
    case Qt::RightButton:
        return PointerButton::Right;
    case Qt::MiddleButton:
        return PointerButton::Middle;
    default:
        return std::nullopt;
    }
}

} // namespace

ConsoleView::ConsoleView(QWidget* parent)
    : QWidget(parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setAttribute(Qt::WA_OpaquePaintEvent);
    setAttribute(Qt::WA_InputMethodEnabled, false);
    setMouseTracking(true);
    setAccessibleName(tr("Screen of the guest"));
    setAccessibleDescription(tr("Click it, or choose Console, Give keyboard to the guest, to type into the guest."));
}

void ConsoleView::show(const Frame& frame)
{
    if (frame.width <= 0 || frame.height <= 0)
        return;
    PixelRect damage = frame.damage;
    const bool resized = m_picture.size() != QSize(frame.width, frame.height);
    if (resized) {
        m_picture = QImage(frame.width, frame.height, QImage::Format_RGB32);
        damage = { 0, 0, frame.width, frame.height };
    }
    m_text = frame.text;
    const QRect changed = QRect(damage.x, damage.y, damage.width, damage.height) & m_picture.rect();
    for (int y = changed.top(); y <= changed.bottom(); ++y) {
        const size_t from
            = static_cast<size_t>(y) * static_cast<size_t>(frame.width) + static_cast<size_t>(changed.left());
        std::memcpy(m_picture.scanLine(y) + static_cast<ptrdiff_t>(changed.left()) * 4, frame.pixels.data() + from,
            static_cast<size_t>(changed.width()) * 4);
    }
    if (resized) {
        update();
        emit pictureSizeChanged();
        emit placeChanged();
    } else if (!changed.isEmpty()) {
        updateDamaged({ changed.x(), changed.y(), changed.width(), changed.height() });
    }
}

void ConsoleView::clear()
{
    m_picture = QImage();
    m_text.clear();
    update();
    emit pictureSizeChanged();
}

void ConsoleView::setScaling(PictureScaling scaling)
{
    m_scaling = scaling;
    update();
    emit placeChanged();
}

PicturePlace ConsoleView::place() const
{
    return placePicture(m_picture.size(), toDevicePixels(size(), devicePixelRatioF()), m_scaling);
}

// Where this widget's top left corner falls on the window's grid of device pixels; not on a corner of that grid when
// the scale is fractional.
QPointF ConsoleView::originInDevicePixels() const
{
    return QPointF(mapTo(window(), QPoint(0, 0))) * devicePixelRatioF();
}

void ConsoleView::updateDamaged(const PixelRect& damage)
{
    const PicturePlace where = place();
    const qreal ratio = devicePixelRatioF();
    const qreal scaleX = where.target.width() / static_cast<qreal>(m_picture.width()) / ratio;
    const qreal scaleY = where.target.height() / static_cast<qreal>(m_picture.height()) / ratio;
    const QRectF area(where.target.x() / ratio + damage.x * scaleX, where.target.y() / ratio + damage.y * scaleY,
        damage.width * scaleX, damage.height * scaleY);
    // Interpolation reaches one guest pixel further, the snap to device pixels one device pixel.
    const int reach = where.smooth ? static_cast<int>(std::ceil(std::max(scaleX, scaleY))) + 1 : 1;
    update(area.toAlignedRect().adjusted(-reach, -reach, reach, reach));
}

void ConsoleView::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    if (m_picture.isNull()) {
        painter.fillRect(event->rect(), surround);
        return;
    }
    const PicturePlace where = place();
    const qreal ratio = devicePixelRatioF();
    const QPointF origin = originInDevicePixels();
    const QPointF snap(std::round(origin.x()) - origin.x(), std::round(origin.y()) - origin.y());
    const QRectF target(QRectF(where.target).translated(snap));
    const QRectF inPoints(target.topLeft() / ratio, target.size() / ratio);

    painter.setRenderHint(QPainter::SmoothPixmapTransform, where.smooth);
    for (const QRect& rect : QRegion(event->region()).subtracted(inPoints.toRect().adjusted(1, 1, -1, -1)))
        painter.fillRect(rect, surround);
    painter.drawImage(inPoints, m_picture);
}

void ConsoleView::resizeEvent(QResizeEvent*)
{
    emit placeChanged();
}

bool ConsoleView::event(QEvent* event)
{
    // While the guest has the keyboard, the window's shortcuts are the guest's keys.
    if (event->type() == QEvent::ShortcutOverride && m_captured) {
        event->accept();
        return true;
    }
    return QWidget::event(event);
}

void ConsoleView::capture()
{
    if (m_captured)
        return;
    m_captured = true;
    setFocus(Qt::MouseFocusReason);
    setCursor(Qt::BlankCursor);
    if (window()->isVisible()) {
        grabMouse(Qt::BlankCursor);
        grabKeyboard();
    }
    centrePointer();
    emit capturedChanged(true);
}

void ConsoleView::release()
{
    if (!m_captured)
        return;
    m_captured = false;
    releaseMouse();
    releaseKeyboard();
    unsetCursor();
    releaseKeys();
    emit capturedChanged(false);
}

// A guest must never be left with a key down that nobody holds.
void ConsoleView::releaseKeys()
{
    for (const HidUsage usage : std::exchange(m_keysDown, {}))
        emit input(KeyEvent { usage, false });
    for (const PointerButton button : std::exchange(m_buttonsDown, {}))
        emit input(PointerButtonEvent { button, false });
}

// Keeps the hidden pointer away from the screen's edges, where it would stop. Wayland does not let it be moved; there
// it stops at the edge.
void ConsoleView::centrePointer()
{
    const QPoint centre = mapToGlobal(rect().center());
    QCursor::setPos(centre);
    m_pointer = QCursor::pos();
    m_fraction = {};
}

void ConsoleView::keyPressEvent(QKeyEvent* event)
{
    if (!m_captured) {
        QWidget::keyPressEvent(event);
        return;
    }
    event->accept();
    const auto usage = usageOf(*event);
    if (!usage || event->isAutoRepeat()) // the guest's keyboard repeats by itself
        return;
    if (*usage == rightControl) {
        release();
        return;
    }
    m_keysDown.insert(*usage);
    emit input(KeyEvent { *usage, true });
}

void ConsoleView::keyReleaseEvent(QKeyEvent* event)
{
    if (!m_captured) {
        QWidget::keyReleaseEvent(event);
        return;
    }
    event->accept();
    const auto usage = usageOf(*event);
    if (!usage || event->isAutoRepeat() || m_keysDown.erase(*usage) == 0)
        return;
    emit input(KeyEvent { *usage, false });
}

void ConsoleView::pointerButton(Qt::MouseButton hostButton, bool pressed)
{
    const auto button = guestButton(hostButton);
    if (!button)
        return;
    if (pressed)
        m_buttonsDown.insert(*button);
    else if (m_buttonsDown.erase(*button) == 0)
        return;
    emit input(PointerButtonEvent { *button, pressed });
}

void ConsoleView::mousePressEvent(QMouseEvent* event)
{
    if (m_captured)
        pointerButton(event->button(), true);
    else if (event->button() == Qt::LeftButton)
        capture();
}

void ConsoleView::mouseDoubleClickEvent(QMouseEvent* event)
{
    mousePressEvent(event);
}

void ConsoleView::mouseReleaseEvent(QMouseEvent* event)
{
    if (m_captured)
        pointerButton(event->button(), false);
}

void ConsoleView::mouseMoveEvent(QMouseEvent* event)
{
    if (!m_captured)
        return;
    m_fraction += event->globalPosition() - m_pointer;
    m_pointer = event->globalPosition();
    const int dx = static_cast<int>(m_fraction.x());
    const int dy = static_cast<int>(m_fraction.y());
    if (dx == 0 && dy == 0)
        return;
    m_fraction -= QPointF(dx, dy);
    emit input(PointerMove { dx, dy });
    if (!rect().adjusted(width() / 4, height() / 4, -width() / 4, -height() / 4).contains(event->position().toPoint()))
        centrePointer();
}

void ConsoleView::wheelEvent(QWheelEvent* event)
{
    if (!m_captured)
        return;
    constexpr int oneStep = 120; // QWheelEvent::angleDelta() of a mouse wheel's notch
    m_wheel += event->angleDelta().y();
    const int steps = m_wheel / oneStep;
    m_wheel -= steps * oneStep;
    if (steps != 0)
        emit input(PointerWheel { steps });
}

void ConsoleView::focusOutEvent(QFocusEvent* event)
{
    release();
    QWidget::focusOutEvent(event);
}

bool ConsoleView::focusNextPrevChild(bool next)
{
    return !m_captured && QWidget::focusNextPrevChild(next);
}

} // namespace namsan
