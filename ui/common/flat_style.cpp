// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/flat_style.h"

#include "ui/common/theme.h"

#include <QPainter>
#include <QPainterPath>
#include <QStyleOption>
#include <QToolBar>
#include <QToolButton>

namespace namsan {

namespace {

constexpr qreal cornerRadius = 4;

QRectF insideBorder(const QRect& rect)
{
    return QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5);
}

} // namespace

FlatStyle::FlatStyle()
    : QProxyStyle(QStringLiteral("fusion"))
{
}

void FlatStyle::drawButton(const QStyleOption& option, QPainter& painter, bool framed) const
{
    const ThemeTokens tokens = themeTokens(option.palette);
    const bool enabled = option.state & State_Enabled;
    const bool hovered = enabled && (option.state & State_MouseOver);
    QColor ground = framed ? tokens.raised : QColor(Qt::transparent);
    if (option.state & State_On)
        ground = enabled ? tokens.accent : tokens.track;
    else if (option.state & State_Sunken)
        ground = tokens.track;
    else if (hovered)
        ground = tokens.softLine;
    QColor border = framed ? tokens.border : QColor(Qt::transparent);
    if (option.state & State_On)
        border = ground;

    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(ground);
    painter.setPen(border);
    painter.drawRoundedRect(insideBorder(option.rect), cornerRadius, cornerRadius);
    painter.restore();
}

void FlatStyle::drawTab(const QStyleOption& option, QPainter& painter) const
{
    const ThemeTokens tokens = themeTokens(option.palette);
    const bool selected = option.state & State_Selected;
    if (!selected) {
        if (option.state & State_MouseOver)
            painter.fillRect(option.rect.adjusted(2, 4, -2, -2), tokens.softLine);
        return;
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF rect = insideBorder(option.rect).adjusted(0, 0, 0, 4);
    painter.setClipRect(option.rect);
    painter.setPen(tokens.border);
    painter.setBrush(tokens.base);
    painter.drawRoundedRect(rect, cornerRadius, cornerRadius);
    QPainterPath outline;
    outline.addRoundedRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5), cornerRadius, cornerRadius);
    painter.setClipPath(outline);
    painter.fillRect(QRect(option.rect.left(), option.rect.top(), option.rect.width(), 2), tokens.accent);
    painter.restore();
}

void FlatStyle::drawTabLabel(const QStyleOptionTab& tab, QPainter& painter, const QWidget* widget) const
{
    QStyleOptionTab copy = tab;
    painter.save();
    if (copy.state & State_Selected)
        painter.setFont(scaledFont(painter.font(), 1, QFont::DemiBold));
    copy.state &= ~State_HasFocus;
    QProxyStyle::drawControl(CE_TabBarTabLabel, &copy, &painter, widget);
    painter.restore();
    if (tab.state & State_HasFocus) {
        QStyleOption ring = tab;
        ring.rect = tab.rect.adjusted(3, 5, -3, -3);
        drawPrimitive(PE_FrameFocusRect, &ring, &painter, widget);
    }
}

void FlatStyle::drawPrimitive(
    PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const
{
    const ThemeTokens tokens = themeTokens(option->palette);
    switch (element) {
    case PE_PanelButtonCommand:
        drawButton(*option, *painter, true);
        return;
    case PE_PanelButtonTool:
        drawButton(*option, *painter, !(option->state & State_AutoRaise));
        return;
    case PE_FrameTabBarBase:
    case PE_FrameStatusBarItem:
    case PE_PanelToolBar:
        return;
    case PE_FrameTabWidget:
        painter->setPen(tokens.border);
        painter->drawLine(option->rect.topLeft(), option->rect.topRight());
        return;
    case PE_FrameFocusRect:
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(tokens.accent, 2));
        painter->setBrush(Qt::NoBrush);
        painter->drawRoundedRect(QRectF(option->rect).adjusted(1, 1, -1, -1), cornerRadius, cornerRadius);
        painter->restore();
        return;
    default:
        QProxyStyle::drawPrimitive(element, option, painter, widget);
    }
}

void FlatStyle::drawControl(
    ControlElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const
{
    const ThemeTokens tokens = themeTokens(option->palette);
    switch (element) {
    case CE_TabBarTabShape:
        drawTab(*option, *painter);
        return;
    case CE_TabBarTabLabel:
        if (const auto* tab = qstyleoption_cast<const QStyleOptionTab*>(option))
            drawTabLabel(*tab, *painter, widget);
        return;
    case CE_ToolBar:
        painter->fillRect(option->rect, tokens.window);
        painter->setPen(tokens.border);
        painter->drawLine(option->rect.bottomLeft(), option->rect.bottomRight());
        return;
    case CE_MenuBarEmptyArea:
        painter->fillRect(option->rect, tokens.window);
        return;
    case CE_MenuBarItem:
        if (const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option)) {
            painter->fillRect(item->rect, tokens.window);
            if (item->state & (State_Selected | State_Sunken)) {
                QStyleOption ground = *option;
                ground.state = State_Enabled | State_MouseOver;
                drawButton(ground, *painter, false);
            }
            drawItemText(painter, item->rect, Qt::AlignCenter | Qt::TextShowMnemonic | Qt::TextDontClip, item->palette,
                item->state & State_Enabled, item->text, QPalette::WindowText);
        }
        return;
    case CE_ToolButtonLabel:
        if (const auto* button = qstyleoption_cast<const QStyleOptionToolButton*>(option)) {
            QStyleOptionToolButton copy = *button;
            if (copy.state & State_On)
                copy.palette.setColor(QPalette::ButtonText, tokens.onAccent);
            QProxyStyle::drawControl(element, &copy, painter, widget);
        }
        return;
    case CE_HeaderSection:
        painter->setPen(tokens.border);
        painter->drawLine(option->rect.bottomLeft(), option->rect.bottomRight());
        return;
    case CE_HeaderEmptyArea:
        return;
    case CE_Splitter:
        painter->fillRect(option->rect, tokens.border);
        return;
    default:
        QProxyStyle::drawControl(element, option, painter, widget);
    }
}

void FlatStyle::drawCombo(const QStyleOptionComplex& option, QPainter& painter, const QWidget* widget) const
{
    drawButton(option, painter, true);
    const ThemeTokens tokens = themeTokens(option.palette);
    const QRectF arrow = subControlRect(CC_ComboBox, &option, SC_ComboBoxArrow, widget);
    const QPointF centre = arrow.center();
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(tokens.text, 1.3, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPolyline(
        QPolygonF { centre + QPointF(-3.5, -1.75), centre + QPointF(0, 1.75), centre + QPointF(3.5, -1.75) });
    painter.restore();
    if (option.state & State_HasFocus && option.state & State_KeyboardFocusChange) {
        QStyleOption ring = option;
        drawPrimitive(PE_FrameFocusRect, &ring, &painter, widget);
    }
}

void FlatStyle::drawComplexControl(
    ComplexControl control, const QStyleOptionComplex* option, QPainter* painter, const QWidget* widget) const
{
    if (control == CC_ComboBox) {
        if (const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option); combo && !combo->editable) {
            drawCombo(*option, *painter, widget);
            return;
        }
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

int FlatStyle::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const
{
    switch (metric) {
    case PM_ToolBarItemSpacing:
        return 4;
    case PM_ToolBarItemMargin:
        return 4;
    case PM_ToolBarFrameWidth:
        return 2;
    case PM_ToolBarIconSize:
    case PM_SmallIconSize:
    case PM_ButtonIconSize:
        return 16;
    case PM_DockWidgetSeparatorExtent:
        return 1;
    case PM_TabBarTabShiftVertical:
    case PM_TabBarTabShiftHorizontal:
    case PM_TabBarTabOverlap:
        return 0;
    case PM_TabBarTabHSpace:
        return 32;
    case PM_MenuBarHMargin:
        return 6;
    case PM_MenuBarItemSpacing:
        return 0;
    default:
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

QSize FlatStyle::sizeFromContents(
    ContentsType type, const QStyleOption* option, const QSize& contents, const QWidget* widget) const
{
    QSize size = QProxyStyle::sizeFromContents(type, option, contents, widget);
    if (type == CT_MenuBarItem)
        return size + QSize(6, 6);
    if (type == CT_PushButton)
        return size.expandedTo(QSize(0, 30));
    if (type == CT_ComboBox)
        return (size + QSize(10, 0)).expandedTo(QSize(0, 26));
    if (type == CT_TabBarTab)
        return size.expandedTo(QSize(0, 34));
    if (type == CT_ToolButton && widget && qobject_cast<QToolBar*>(widget->parentWidget()))
        return (size + QSize(8, 0)).expandedTo(QSize(0, 32));
    return size;
}

} // namespace namsan
