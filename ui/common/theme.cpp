// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/theme.h"

#include "ui/common/flat_style.h"
#include "ui/common/symbolic_icon.h"

#include <QApplication>
#include <QFontDatabase>
#include <QStyle>

namespace namsan {

namespace {

QColor colour(unsigned rgb)
{
    return QColor::fromRgb(rgb);
}

ThemeTokens lightTokens()
{
    return { false, colour(0xF1F2F3), colour(0xFFFFFF), colour(0xF7F8F9), colour(0xFCFCFC), colour(0x22262A),
        colour(0x596169), colour(0xCBD0D5), colour(0xE2E5E8), colour(0xE4E7EA), colour(0x747D86), colour(0xDDE1E4),
        colour(0x8B949C), colour(0x3A5CC2), colour(0xFFFFFF), colour(0xDFE5F7), colour(0x1B7A4B), colour(0x8A5A00),
        colour(0xB3261E), colour(0xE8EDFA), colour(0xFDF3DC), colour(0xFCEBE9), colour(0xFFFFFF),
        { colour(0x22262A), colour(0x0076B8), colour(0x006E53), colour(0xB64F90), colour(0xBC4C00) } };
}

ThemeTokens darkTokens()
{
    return { true, colour(0x26292D), colour(0x1B1E21), colour(0x212428), colour(0x30343A), colour(0xECEEF0),
        colour(0xA9B0B7), colour(0x454B52), colour(0x363B41), colour(0x30353A), colour(0x8A929A), colour(0x3A4046),
        colour(0x6C757D), colour(0x8FA8FF), colour(0x14171A), colour(0x343E5C), colour(0x5FCB95), colour(0xF0C060),
        colour(0xFF8F87), colour(0x2A3148), colour(0x3A3220), colour(0x42282A), colour(0x15181B),
        { colour(0xECEEF0), colour(0x4BA3F0), colour(0x3DDBA5), colour(0xE58CC4), colour(0xE0803A) } };
}

QPalette paletteOf(const ThemeTokens& tokens)
{
    QPalette palette;
    palette.setColor(QPalette::Window, tokens.window);
    palette.setColor(QPalette::WindowText, tokens.text);
    palette.setColor(QPalette::Base, tokens.base);
    palette.setColor(QPalette::AlternateBase, tokens.alternateBase);
    palette.setColor(QPalette::Text, tokens.text);
    palette.setColor(QPalette::Button, tokens.raised);
    palette.setColor(QPalette::ButtonText, tokens.text);
    palette.setColor(QPalette::BrightText, tokens.onAccent);
    palette.setColor(QPalette::Highlight, tokens.accent);
    palette.setColor(QPalette::HighlightedText, tokens.onAccent);
    palette.setColor(QPalette::Link, tokens.accent);
    palette.setColor(QPalette::LinkVisited, tokens.accent);
    palette.setColor(QPalette::ToolTipBase, tokens.dark ? tokens.raised : tokens.text);
    palette.setColor(QPalette::ToolTipText, tokens.dark ? tokens.text : tokens.base);
    palette.setColor(QPalette::PlaceholderText, tokens.secondaryText);
    palette.setColor(QPalette::Light, tokens.softLine);
    palette.setColor(QPalette::Midlight, tokens.softLine);
    palette.setColor(QPalette::Mid, tokens.border);
    palette.setColor(QPalette::Dark, tokens.neutral);
    palette.setColor(QPalette::Shadow, tokens.dark ? QColor(Qt::black) : tokens.neutral);
    for (const auto role : { QPalette::WindowText, QPalette::Text, QPalette::ButtonText })
        palette.setColor(QPalette::Disabled, role, tokens.disabled);
    return palette;
}

// Where no desktop environment speaks, Qt falls back to the style's own palette.
bool desktopChoosesPalette(const QApplication& application)
{
    const QPalette palette = QApplication::palette();
    const QPalette standard = application.style()->standardPalette();
    return palette.color(QPalette::Window) != standard.color(QPalette::Window)
        || palette.color(QPalette::Highlight) != standard.color(QPalette::Highlight);
}

} // namespace

QColor mixed(const QColor& first, const QColor& second, double shareOfSecond)
{
    const auto mix = [shareOfSecond](int a, int b) { return static_cast<int>(a + (b - a) * shareOfSecond + 0.5); };
    return QColor(mix(first.red(), second.red()), mix(first.green(), second.green()), mix(first.blue(), second.blue()));
}

ThemeTokens themeTokens(const QPalette& palette)
{
    const bool dark = palette.color(QPalette::Window).lightness() < 128;
    ThemeTokens tokens = dark ? darkTokens() : lightTokens();
    if (palette.color(QPalette::Window) == tokens.window && palette.color(QPalette::Highlight) == tokens.accent)
        return tokens;

    tokens.window = palette.color(QPalette::Window);
    tokens.base = palette.color(QPalette::Base);
    tokens.alternateBase = palette.color(QPalette::AlternateBase);
    tokens.raised = palette.color(QPalette::Button);
    tokens.text = palette.color(QPalette::WindowText);
    tokens.secondaryText = mixed(tokens.text, tokens.window, 0.25);
    tokens.border = mixed(tokens.window, tokens.text, 0.2);
    tokens.softLine = mixed(tokens.window, tokens.text, 0.1);
    tokens.plotGrid = mixed(tokens.base, tokens.text, 0.1);
    tokens.accent = palette.color(QPalette::Highlight);
    tokens.onAccent = palette.color(QPalette::HighlightedText);
    tokens.selectedRow = mixed(tokens.base, tokens.accent, 0.18);
    return tokens;
}

QColor threadColour(const ThemeTokens& tokens, unsigned thread)
{
    return thread == 0 ? tokens.threads[0] : tokens.threads[1 + (thread - 1) % 4];
}

QPen threadPen(const ThemeTokens& tokens, unsigned thread)
{
    QPen pen(threadColour(tokens, thread), 1.7);
    pen.setCapStyle(Qt::FlatCap);
    pen.setJoinStyle(Qt::RoundJoin);
    if (thread == 0) {
        pen.setWidthF(2.6);
        return pen;
    }
    if (threadHasInnerRing(thread))
        pen.setWidthF(1.2);
    // Dashes are counted in pen widths.
    const auto dashes = [&pen](std::initializer_list<qreal> pixels) {
        QList<qreal> pattern;
        for (const qreal length : pixels)
            pattern.append(length / pen.widthF());
        pen.setDashPattern(pattern);
    };
    switch ((thread - 1) % 4) {
    case 1:
        dashes({ 7, 3 });
        break;
    case 2:
        dashes({ 2, 2 });
        break;
    case 3:
        dashes({ 7, 2, 2, 2 });
        break;
    default:
        break;
    }
    return pen;
}

bool threadHasInnerRing(unsigned thread)
{
    return thread > 0 && (thread - 1) / 4 % 2 == 1;
}

void applyTheme(QApplication& application, ThemeChoice choice)
{
    const bool desktopSpeaks = desktopChoosesPalette(application);
    if (application.style()->name().compare(QLatin1String("fusion"), Qt::CaseInsensitive) == 0)
        application.setStyle(new FlatStyle);
    if (!desktopSpeaks && QFontDatabase::hasFamily(QStringLiteral("Noto Sans")))
        application.setFont(QFont(QStringLiteral("Noto Sans"), 10));
    if (choice != ThemeChoice::System || !desktopSpeaks)
        application.setPalette(paletteOf(choice == ThemeChoice::Dark ? darkTokens() : lightTokens()));
    application.setWindowIcon(programIcon());
}

QFont scaledFont(const QFont& font, double factor, QFont::Weight weight)
{
    QFont scaled = font;
    if (font.pixelSize() > 0)
        scaled.setPixelSize(qRound(font.pixelSize() * factor));
    else
        scaled.setPointSizeF(font.pointSizeF() * factor);
    scaled.setWeight(weight);
    return scaled;
}

} // namespace namsan
