// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QProxyStyle>
#include <QStyleOptionTab>

namespace namsan {

// Fusion without its gradients: buttons, tabs, combo boxes and bars are plain areas with one-pixel borders. Used only
// where the desktop brings no Qt style of its own.
class FlatStyle final : public QProxyStyle {
    Q_OBJECT

public:
    FlatStyle();

    void drawPrimitive(PrimitiveElement, const QStyleOption*, QPainter*, const QWidget*) const override;
    void drawControl(ControlElement, const QStyleOption*, QPainter*, const QWidget*) const override;
    void drawComplexControl(ComplexControl, const QStyleOptionComplex*, QPainter*, const QWidget*) const override;
    int pixelMetric(PixelMetric, const QStyleOption*, const QWidget*) const override;
    QSize sizeFromContents(ContentsType, const QStyleOption*, const QSize&, const QWidget*) const override;

private:
    void drawButton(const QStyleOption&, QPainter&, bool framed) const;
    void drawTab(const QStyleOption&, QPainter&) const;
    void drawTabLabel(const QStyleOptionTab&, QPainter&, const QWidget*) const;
    void drawCombo(const QStyleOptionComplex&, QPainter&, const QWidget*) const;
};

} // namespace namsan
