// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QFont>
#include <QPalette>
#include <QPen>

#include <array>

class QApplication;

namespace namsan {

// The colours that Namsan's own painting needs. What the palette has a role for comes from the palette; the rest comes
// from one of two tables, chosen by the lightness of QPalette::Window.
struct ThemeTokens {
    bool dark;
    QColor window, base, alternateBase, raised;
    QColor text, secondaryText;
    QColor border, softLine, plotGrid;
    QColor neutral, track, disabled; // axis and neutral bars; the ground of bars; other programs
    QColor accent, onAccent, selectedRow;
    QColor good, warning, error; // never without an icon and words
    QColor infoGround, warningGround, errorGround;
    QColor chipText;
    std::array<QColor, 5> threads; // the VMM, vCPU 0 to 3
};

ThemeTokens themeTokens(const QPalette&);

// Threads of a VM in the order of MachineSample: 0 is the VMM, n + 1 is vCPU n. From vCPU 4 on the hues repeat.
QColor threadColour(const ThemeTokens&, unsigned thread);
QPen threadPen(const ThemeTokens&, unsigned thread); // for lines: weight and dashes tell threads apart without colour
bool threadHasInnerRing(unsigned thread);

enum class ThemeChoice {
    System, // what the desktop says; the light table where it says nothing
    Light,
    Dark,
};

// Sets palette, font and icons of the program. Once, before the first window.
void applyTheme(QApplication&, ThemeChoice);

// Sizes are factors of the application font: 0.85 captions, 0.92 tables, 1 body, 1.4 page title, 1.7 message title.
QFont scaledFont(const QFont&, double factor, QFont::Weight = QFont::Normal);

QColor mixed(const QColor&, const QColor&, double shareOfSecond);

} // namespace namsan
