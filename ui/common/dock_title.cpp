// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/dock_title.h"

#include "ui/common/symbolic_icon.h"
#include "ui/common/theme.h"

#include <QDockWidget>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QToolButton>

namespace namsan {

DockTitle::DockTitle(QDockWidget& dock)
    : QWidget(&dock)
    , m_beside(new QHBoxLayout)
    , m_controls(new QHBoxLayout)
{
    auto* name = new QLabel(dock.windowTitle());
    name->setFont(scaledFont(font(), 1, QFont::DemiBold));
    auto* close = makeButton(QStringLiteral("window-close"), tr("Close %1").arg(dock.windowTitle()));
    close->setToolTip(tr("Close; View brings it back"));
    connect(close, &QToolButton::clicked, &dock, &QDockWidget::close);

    m_beside->setSpacing(8);
    m_controls->setSpacing(4);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(12, 2, 8, 3);
    layout->setSpacing(16);
    layout->addWidget(name);
    layout->addLayout(m_beside);
    layout->addStretch(1);
    layout->addLayout(m_controls);
    m_controls->addWidget(close);
    setMinimumHeight(32);
}

void DockTitle::addControl(QWidget* control)
{
    m_controls->insertWidget(m_controls->count() - 1, control);
}

void DockTitle::addBesideName(QWidget* widget)
{
    m_beside->addWidget(widget);
}

QToolButton* DockTitle::makeButton(const QString& iconName, const QString& text)
{
    auto* button = new QToolButton;
    button->setIcon(symbolicIcon(iconName));
    button->setIconSize({ 16, 16 });
    button->setText(text);
    button->setToolTip(text);
    button->setAccessibleName(text);
    button->setAutoRaise(true);
    button->setFixedSize(26, 26);
    return button;
}

void DockTitle::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setPen(themeTokens(palette()).border);
    painter.drawLine(0, height() - 1, width(), height() - 1);
}

} // namespace namsan
