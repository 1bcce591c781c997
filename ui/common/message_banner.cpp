// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/message_banner.h"

#include "ui/common/dock_title.h"
#include "ui/common/symbolic_icon.h"
#include "ui/common/theme.h"

#include <QAccessible>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QToolButton>

namespace namsan {

MessageBanner::MessageBanner(bool closable, QWidget* parent)
    : QFrame(parent)
    , m_icon(new QLabel)
    , m_text(new QLabel)
{
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_text->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(10, 8, 8, 8);
    layout->setSpacing(10);
    layout->addWidget(m_icon, 0, Qt::AlignTop);
    layout->addWidget(m_text, 1);
    if (closable) {
        auto* close = DockTitle::makeButton(QStringLiteral("window-close"), tr("Close message"));
        connect(close, &QToolButton::clicked, this, &QWidget::hide);
        layout->addWidget(close, 0, Qt::AlignTop);
    }
    hide();
}

void MessageBanner::say(Kind kind, const QString& text)
{
    const bool news = text != m_text->text() || isHidden();
    m_kind = kind;
    m_text->setText(text);
    setAccessibleName(text);
    showIcon();
    show();
    update();
    if (news) {
        QAccessibleEvent event(this, QAccessible::Alert);
        QAccessible::updateAccessibility(&event);
    }
}

QString MessageBanner::text() const
{
    return isHidden() ? QString() : m_text->text();
}

void MessageBanner::showIcon()
{
    const ThemeTokens tokens = themeTokens(palette());
    const auto icon = [this, &tokens] {
        switch (m_kind) {
        case Kind::Information:
            return colouredIcon(QStringLiteral("dialog-information"), tokens.accent);
        case Kind::Warning:
            return colouredIcon(QStringLiteral("dialog-warning"), tokens.warning);
        default:
            return colouredIcon(QStringLiteral("dialog-error"), tokens.error);
        }
    }();
    m_icon->setPixmap(icon.pixmap(QSize(16, 16), devicePixelRatioF()));
}

void MessageBanner::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::PaletteChange)
        showIcon();
    QFrame::changeEvent(event);
}

void MessageBanner::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    const auto [ground, line] = [this, &tokens]() -> std::pair<QColor, QColor> {
        switch (m_kind) {
        case Kind::Information:
            return { tokens.infoGround, tokens.accent };
        case Kind::Warning:
            return { tokens.warningGround, tokens.warning };
        default:
            return { tokens.errorGround, tokens.error };
        }
    }();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(ground);
    painter.setPen(mixed(ground, line, 0.45));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
}

} // namespace namsan
