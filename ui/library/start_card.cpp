// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/start_card.h"

#include "ui/library/start_pictures.h"

#include <QKeyEvent>
#include <QPainter>

namespace namsan {

namespace {
constexpr int margin = 28;
constexpr int cardWidth = 384;
constexpr int buttonHeight = 38;
constexpr int gap = 12;
} // namespace

StartCard::StartCard(Content content, QWidget* parent)
    : QAbstractButton(parent)
    , m_content(std::move(content))
{
    setText(m_content.title);
    setAccessibleName(m_content.title);
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setAttribute(Qt::WA_Hover);
    setShortcut(QKeySequence(m_content.key));
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void StartCard::setNote(const QString& note)
{
    m_note = note;
    setAccessibleDescription(m_content.text + QLatin1Char(' ') + note);
    update();
}

// Room for three lines of text and four of the note.
QSize StartCard::sizeHint() const
{
    const int title = QFontMetrics(scaledFont(font(), 1.4)).height();
    const int text = 3 * QFontMetrics(scaledFont(font(), 1.08)).lineSpacing();
    const int note = 4 * QFontMetrics(scaledFont(font(), 0.92)).lineSpacing();
    const int picture = qRound(startPictureSize.height());
    return { cardWidth, margin + picture + 2 * gap + title + gap + text + gap + note + gap + buttonHeight + margin };
}

void StartCard::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)
        click();
    else
        QAbstractButton::keyPressEvent(event);
}

void StartCard::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(font());
    painter.setPen(hasFocus() ? QPen(tokens.accent, 2) : QPen(tokens.border, 1));
    painter.setBrush(underMouse() ? mixed(tokens.raised, tokens.accent, 0.04) : tokens.raised);
    painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 8, 8);

    painter.save();
    painter.translate((width() - startPictureSize.width()) / 2, margin);
    m_content.paintPicture(painter, tokens);
    painter.restore();

    int y = margin + qRound(startPictureSize.height()) + 2 * gap;
    y = paintText(painter, y, m_content.title, scaledFont(font(), 1.4, QFont::DemiBold), tokens.text) + gap;
    y = paintText(painter, y, m_content.text, scaledFont(font(), 1.08), tokens.text) + gap;
    paintText(painter, y, m_note, scaledFont(font(), 0.92), tokens.secondaryText);
    paintFoot(painter, tokens);
}

int StartCard::paintText(QPainter& painter, int y, const QString& text, const QFont& font, const QColor& colour) const
{
    painter.setFont(font);
    painter.setPen(colour);
    QRect used;
    painter.drawText(QRect(margin, y, width() - 2 * margin, height()), Qt::AlignLeft | Qt::TextWordWrap, text, &used);
    return used.bottom() + 1;
}

// What looks like a button is a part of this one; the key beside it does the same.
void StartCard::paintFoot(QPainter& painter, const ThemeTokens& tokens) const
{
    if (!isEnabled())
        painter.setOpacity(0.4);
    painter.setFont(scaledFont(font(), 1.08, hasFocus() ? QFont::DemiBold : QFont::Normal));
    const int buttonWidth = painter.fontMetrics().horizontalAdvance(m_content.verb) + 42;
    const QRectF button(margin, height() - margin - buttonHeight, buttonWidth, buttonHeight);
    painter.setPen(hasFocus() ? QPen(Qt::NoPen) : QPen(tokens.border, 1));
    painter.setBrush(hasFocus() ? tokens.accent : tokens.base);
    painter.drawRoundedRect(button, 4, 4);
    painter.setPen(hasFocus() ? tokens.onAccent : tokens.text);
    painter.drawText(button, Qt::AlignCenter, m_content.verb);

    const QRectF key(width() - margin - 24, button.center().y() - 11, 24, 22);
    painter.setFont(scaledFont(font(), 0.92));
    painter.setPen(QPen(tokens.border, 1));
    painter.setBrush(tokens.base);
    painter.drawRoundedRect(key, 3, 3);
    painter.setPen(tokens.text);
    painter.drawText(key, Qt::AlignCenter, m_content.key);
}

} // namespace namsan
