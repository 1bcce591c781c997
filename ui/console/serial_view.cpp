// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/console/serial_view.h"

#include "ui/common/symbolic_icon.h"
#include "ui/common/theme.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QFontDatabase>
#include <QFontMetricsF>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QScrollBar>

#include <cmath>

namespace namsan {

namespace {

constexpr int margin = 8; // pixels around the text
constexpr auto paintInterval = std::chrono::milliseconds(33);
// What one painting takes at most; it keeps the interface answering while a guest floods the port.
constexpr qsizetype bytesPerPainting = 128 * 1024;
// More than this cannot be seen again anyway: the scrollback's lines at the length of a terminal's.
constexpr qsizetype pendingCapacity = static_cast<qsizetype>(SerialText::capacity) * 80;

} // namespace

SerialView::SerialView(QWidget* parent)
    : QAbstractScrollArea(parent)
{
    setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    viewport()->setCursor(Qt::IBeamCursor);
    setAccessibleName(tr("Serial console of the guest"));
    measure();
    m_timer.setSingleShot(true);
    m_timer.setInterval(paintInterval);
    connect(&m_timer, &QTimer::timeout, this, &SerialView::takePending);
}

void SerialView::append(const QByteArray& bytes)
{
    m_pending += bytes;
    if (m_pending.size() > pendingCapacity)
        m_pending.remove(0, m_pending.size() - pendingCapacity);
    if (!m_timer.isActive())
        m_timer.start();
}

void SerialView::takePending()
{
    const bool atEnd = verticalScrollBar()->value() == verticalScrollBar()->maximum();
    const size_t droppedBefore = m_text.dropped();
    m_text.append(m_pending.left(bytesPerPainting));
    m_pending.remove(0, std::min(m_pending.size(), bytesPerPainting));
    if (!m_pending.isEmpty())
        m_timer.start();
    const int dropped = static_cast<int>(m_text.dropped() - droppedBefore);
    const int value = verticalScrollBar()->value();
    updateScrollBars();
    verticalScrollBar()->setValue(atEnd ? verticalScrollBar()->maximum() : value - dropped);
    viewport()->update();
}

void SerialView::clear()
{
    m_pending.clear();
    m_text.clear();
    m_anchor = m_head = {};
    updateScrollBars();
    viewport()->update();
}

QString SerialView::allText() const
{
    SerialText text = m_text;
    text.append(m_pending);
    QString all;
    for (size_t i = 0; i < text.lineCount(); ++i)
        all += (i == 0 ? QString() : QStringLiteral("\n")) + text.line(i);
    return all;
}

QString SerialView::selectedText() const
{
    const auto [first, last] = std::minmax(m_anchor, m_head);
    QStringList lines;
    for (size_t line = std::max(first.line, m_text.dropped()); line <= last.line; ++line) {
        if (line - m_text.dropped() >= m_text.lineCount())
            break;
        const QString& text = m_text.line(line - m_text.dropped());
        const qsizetype from = line == first.line ? first.column : 0;
        const qsizetype to = line == last.line ? last.column : text.size();
        lines << text.mid(from, to - from);
    }
    return lines.join(QLatin1Char('\n'));
}

void SerialView::copy()
{
    const QString text = selectedText();
    if (!text.isEmpty())
        QGuiApplication::clipboard()->setText(text);
}

void SerialView::paste()
{
    // A terminal's Return key is a carriage return.
    const QString text = QGuiApplication::clipboard()->text().replace(QLatin1Char('\n'), QLatin1Char('\r'));
    if (m_typingEnabled && !text.isEmpty())
        emit typed(text.toUtf8());
}

void SerialView::selectAll()
{
    m_anchor = { m_text.dropped(), 0 };
    m_head = { m_text.dropped() + m_text.lineCount() - 1, m_text.line(m_text.lineCount() - 1).size() };
    viewport()->update();
}

void SerialView::setTypingEnabled(bool enabled)
{
    m_typingEnabled = enabled;
    viewport()->update();
}

void SerialView::measure()
{
    const QFontMetricsF metrics(font());
    m_lineHeight = static_cast<int>(std::ceil(metrics.lineSpacing()));
    m_charWidth = metrics.horizontalAdvance(QLatin1Char('M'));
}

void SerialView::updateScrollBars()
{
    const int visible = std::max(1, (viewport()->height() - 2 * margin) / m_lineHeight);
    verticalScrollBar()->setPageStep(visible);
    verticalScrollBar()->setRange(0, std::max(0, static_cast<int>(m_text.lineCount()) - visible));
    // As wide as a line of a terminal; longer lines are rare and scroll.
    qsizetype longest = 0;
    const size_t top = static_cast<size_t>(verticalScrollBar()->value());
    for (size_t i = top; i < std::min(m_text.lineCount(), top + static_cast<size_t>(visible) + 1); ++i)
        longest = std::max(longest, m_text.line(i).size() + 1);
    const int width = static_cast<int>(static_cast<qreal>(longest) * m_charWidth) + 2 * margin;
    horizontalScrollBar()->setPageStep(viewport()->width());
    horizontalScrollBar()->setRange(0, std::max(0, width - viewport()->width()));
}

void SerialView::resizeEvent(QResizeEvent*)
{
    const bool atEnd = verticalScrollBar()->value() == verticalScrollBar()->maximum();
    updateScrollBars();
    if (atEnd)
        verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void SerialView::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::FontChange) {
        measure();
        updateScrollBars();
    }
    QAbstractScrollArea::changeEvent(event);
}

void SerialView::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), tokens.base);
    painter.setFont(font());
    const int ascent = static_cast<int>(std::ceil(QFontMetricsF(font()).ascent()));
    const size_t top = static_cast<size_t>(verticalScrollBar()->value());
    const size_t rows = static_cast<size_t>(viewport()->height() / m_lineHeight + 1);
    const qreal left = margin - horizontalScrollBar()->value();
    const auto [first, last] = std::minmax(m_anchor, m_head);

    for (size_t i = top; i < std::min(m_text.lineCount(), top + rows); ++i) {
        const QString& line = m_text.line(i);
        const int y = margin + static_cast<int>(i - top) * m_lineHeight;
        const size_t number = i + m_text.dropped();
        if (first != last && number >= first.line && number <= last.line) {
            const qsizetype from = number == first.line ? first.column : 0;
            const qsizetype to = number == last.line ? last.column : line.size() + 1;
            painter.fillRect(QRectF(left + static_cast<qreal>(from) * m_charWidth, y,
                                 static_cast<qreal>(to - from) * m_charWidth, m_lineHeight),
                tokens.selectedRow);
        }
        painter.setPen(tokens.text);
        painter.drawText(QPointF(left, y + ascent), line);
    }
    const size_t cursorLine = m_text.lineCount() - 1;
    if (m_typingEnabled && cursorLine >= top && cursorLine < top + rows) {
        const QRectF cursor(left + static_cast<qreal>(m_text.column()) * m_charWidth,
            margin + static_cast<qreal>(cursorLine - top) * m_lineHeight, m_charWidth, m_lineHeight);
        painter.setPen(QPen(tokens.accent, 1));
        painter.setBrush(hasFocus() ? QBrush(mixed(tokens.base, tokens.accent, 0.5)) : QBrush(Qt::NoBrush));
        painter.setCompositionMode(QPainter::CompositionMode_SourceOver);
        painter.drawRect(cursor.adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

SerialView::Position SerialView::positionAt(const QPoint& point) const
{
    const int row = std::max(0, (point.y() - margin) / m_lineHeight) + verticalScrollBar()->value();
    const size_t line = std::min(static_cast<size_t>(row), m_text.lineCount() - 1);
    const qreal column = std::round((point.x() - margin + horizontalScrollBar()->value()) / m_charWidth);
    return { line + m_text.dropped(),
        std::clamp<qsizetype>(static_cast<qsizetype>(column), 0, m_text.line(line).size()) };
}

void SerialView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    m_anchor = m_head = positionAt(event->pos());
    viewport()->update();
}

void SerialView::mouseMoveEvent(QMouseEvent* event)
{
    if (!(event->buttons() & Qt::LeftButton))
        return;
    m_head = positionAt(event->pos());
    viewport()->update();
}

void SerialView::contextMenuEvent(QContextMenuEvent* event)
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(symbolicIcon(QStringLiteral("edit-copy")), tr("Copy\tCtrl+Shift+C"), this, &SerialView::copy)
        ->setEnabled(m_anchor != m_head);
    menu->addAction(tr("Paste\tCtrl+Shift+V"), this, &SerialView::paste)->setEnabled(m_typingEnabled);
    menu->addAction(tr("Select all"), this, &SerialView::selectAll);
    menu->popup(event->globalPos());
}

// Control and Alt belong to the guest here; the terminal's own keys take Shift as well.
QByteArray SerialView::bytesFor(const QKeyEvent& event) const
{
    switch (event.key()) {
    case Qt::Key_Return:
    case Qt::Key_Enter:
        return "\r";
    case Qt::Key_Backspace:
        return "\x7f";
    case Qt::Key_Tab:
        return "\t";
    case Qt::Key_Up:
        return "\x1b[A";
    case Qt::Key_Down:
        return "\x1b[B";
    case Qt::Key_Right:
        return "\x1b[C";
    case Qt::Key_Left:
        return "\x1b[D";
    case Qt::Key_Home:
        return "\x1b[H";
    case Qt::Key_End:
        return "\x1b[F";
    case Qt::Key_Delete:
        return "\x1b[3~";
    default:
        return event.text().toUtf8();
    }
}

bool SerialView::event(QEvent* event)
{
    // Ctrl+C and its like are the guest's; function keys, Alt and Ctrl+Shift stay the window's.
    if (event->type() == QEvent::ShortcutOverride) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const bool guests
            = key->modifiers() == Qt::ControlModifier && key->key() >= Qt::Key_A && key->key() <= Qt::Key_Z;
        const bool terminals = key->modifiers() == (Qt::ControlModifier | Qt::ShiftModifier)
            && (key->key() == Qt::Key_C || key->key() == Qt::Key_V);
        if (guests || terminals) {
            event->accept();
            return true;
        }
    }
    return QAbstractScrollArea::event(event);
}

bool SerialView::focusNextPrevChild(bool next)
{
    return !m_typingEnabled && QAbstractScrollArea::focusNextPrevChild(next); // Tab is the guest's
}

void SerialView::keyPressEvent(QKeyEvent* event)
{
    constexpr auto terminalModifiers = Qt::ControlModifier | Qt::ShiftModifier;
    if (event->modifiers() == terminalModifiers && event->key() == Qt::Key_C) {
        copy();
    } else if (event->modifiers() == terminalModifiers && event->key() == Qt::Key_V) {
        paste();
    } else if (event->modifiers() == Qt::ShiftModifier && event->key() == Qt::Key_PageUp) {
        verticalScrollBar()->triggerAction(QAbstractSlider::SliderPageStepSub);
    } else if (event->modifiers() == Qt::ShiftModifier && event->key() == Qt::Key_PageDown) {
        verticalScrollBar()->triggerAction(QAbstractSlider::SliderPageStepAdd);
    } else if (const QByteArray bytes = bytesFor(*event); m_typingEnabled && !bytes.isEmpty()) {
        verticalScrollBar()->setValue(verticalScrollBar()->maximum());
        emit typed(bytes);
    } else {
        QAbstractScrollArea::keyPressEvent(event);
    }
}

void SerialView::focusInEvent(QFocusEvent* event)
{
    QAbstractScrollArea::focusInEvent(event);
    viewport()->update();
}

void SerialView::focusOutEvent(QFocusEvent* event)
{
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

} // namespace namsan
