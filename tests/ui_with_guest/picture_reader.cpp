// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui_with_guest/picture_reader.h"

#include "ui/console/console_view.h"
#include "ui/shell/main_window.h"
#include "vmm/devices/display/text_font_8x16.h"

#include <map>

namespace namsan {

namespace {
constexpr int cellWidth = 9;
constexpr int cellHeight = 16;

const std::map<TextGlyph, QChar>& charactersByGlyph()
{
    static const std::map<TextGlyph, QChar> characters = [] {
        std::map<TextGlyph, QChar> found { { TextGlyph {}, QLatin1Char(' ') } };
        for (char16_t code = 0x21; code < 0x7f; ++code)
            found.emplace(textFont8x16[code], QChar(code));
        return found;
    }();
    return characters;
}

QChar characterAt(const QImage& picture, int left, int top)
{
    TextGlyph glyph {};
    for (int y = 0; y < cellHeight; ++y) {
        for (int x = 0; x < 8; ++x) {
            if (picture.pixel(left + x, top + y) != 0xff000000)
                glyph[static_cast<size_t>(y)] = static_cast<uint8_t>(glyph[static_cast<size_t>(y)] | 0x80 >> x);
        }
    }
    const auto found = charactersByGlyph().find(glyph);
    return found == charactersByGlyph().end() ? QChar(QChar::ReplacementCharacter) : found->second;
}
} // namespace

QStringList readTextScreen(const QImage& picture)
{
    QStringList lines;
    for (int top = 0; top + cellHeight <= picture.height(); top += cellHeight) {
        QString line;
        for (int left = 0; left + cellWidth <= picture.width(); left += cellWidth)
            line += characterAt(picture, left, top);
        while (line.endsWith(QLatin1Char(' ')))
            line.chop(1);
        lines << line;
    }
    return lines;
}

QStringList readConsole(MainWindow& window)
{
    const ConsoleView& console = window.console();
    const PicturePlace place = console.place();
    if (place.multiple < 1)
        return {};
    const QImage painted = window.grab().toImage().convertToFormat(QImage::Format_RGB32);
    const qreal ratio = painted.devicePixelRatio();
    const QPoint corner = (QPointF(console.mapTo(&window, QPoint(0, 0))) * ratio).toPoint() + place.target.topLeft();
    QImage picture(place.target.size() / place.multiple, QImage::Format_RGB32);
    for (int y = 0; y < picture.height(); ++y) {
        for (int x = 0; x < picture.width(); ++x)
            picture.setPixel(x, y, painted.pixel(corner + QPoint(x, y) * place.multiple));
    }
    return readTextScreen(picture);
}

} // namespace namsan
