// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/display/text_mode_painter.h"

#include <algorithm>

namespace namsan {

namespace {
constexpr uint32_t black = 0xff000000;
constexpr uint8_t blinkAttribute = 0x80;
constexpr unsigned allDots = 0x1ff;

int cellWidth(const TextStyle& style)
{
    return style.dotsPerCharacter * (style.doubledDots ? 2 : 1);
}

bool cursorEnabled(const TextStyle& style)
{
    return style.cursorFirstScanLine <= style.cursorLastScanLine;
}

// The dots of one scan line of a character, the leftmost in bit 8: the ninth is the background's but for the line
// graphics, whose eighth dot goes on so that lines join (IBM VGA, attribute mode control, bit 2).
unsigned dotsOf(const TextStyle& style, uint8_t character, uint8_t fontRow)
{
    const unsigned dots = unsigned { fontRow } << 1;
    const bool joins = style.lineGraphics && character >= 0xc0 && character <= 0xdf;
    return joins ? dots | (fontRow & 1u) : dots;
}

void resize(Frame& frame, int width, int height)
{
    frame.width = width;
    frame.height = height;
    frame.pixels.assign(static_cast<size_t>(width) * static_cast<size_t>(height), black);
}

struct CellColours {
    uint32_t foreground;
    uint32_t background;
};

CellColours coloursOf(const TextStyle& style, uint8_t attribute)
{
    const unsigned background = style.blinkByAttribute ? attribute >> 4 & 7u : attribute >> 4;
    return { style.colours[attribute & 15u], style.colours[background] };
}

// One scan line of one cell, into as many pixels as it is wide.
void paintDots(const TextStyle& style, unsigned dots, CellColours colours, uint32_t* pixels)
{
    const int repeat = style.doubledDots ? 2 : 1;
    for (int dot = 0; dot < style.dotsPerCharacter; ++dot, dots <<= 1) {
        const uint32_t colour = dots & 0x100 ? colours.foreground : colours.background;
        for (int i = 0; i < repeat; ++i)
            *pixels++ = colour;
    }
}
} // namespace

bool TextModePainter::sameLayout(const TextScreen& screen, const Frame& frame) const
{
    return m_columns == screen.columns && m_rows == screen.rows && m_style == screen.style
        && m_looks.size() == screen.cells.size() && frame.height == screen.height
        && frame.width == screen.columns * cellWidth(screen.style);
}

void TextModePainter::paint(
    const TextScreen& screen, const std::array<TextFont, 2>& fonts, bool fontsChanged, BlinkPhase phase, Frame& frame)
{
    const TextStyle& style = screen.style;
    const int width = cellWidth(style);
    const bool everything = fontsChanged || m_blank || !sameLayout(screen, frame);
    if (everything) {
        resize(frame, screen.columns * width, screen.height);
        m_columns = screen.columns;
        m_rows = screen.rows;
        m_style = style;
        m_looks.assign(screen.cells.size(), {});
        m_blank = false;
    }

    frame.damage = {};
    m_blinks = false;
    size_t index = 0;
    for (const TextRow& row : screen.rows) {
        for (int column = 0; column < screen.columns; ++column, ++index) {
            const TextCell& cell = screen.cells[index];
            const bool blinking = style.blinkByAttribute && (cell.attribute & blinkAttribute);
            const bool cursor = cell.cursor && cursorEnabled(style);
            m_blinks |= blinking || cursor;
            const Look look { cell.character, cell.attribute, cursor && phase.cursorShows,
                blinking && !phase.charactersShow };
            if (!everything && look == m_looks[index])
                continue;
            m_looks[index] = look;

            const TextFont font = fonts[style.fontByAttribute && (look.attribute & 8) ? 1 : 0];
            paintCell(row, look, font, column * width, frame);
            frame.damage = united(frame.damage, { column * width, row.top, width, row.height });
        }
    }
    if (everything)
        frame.damage = { 0, 0, frame.width, frame.height };
}

void TextModePainter::paintCell(const TextRow& row, const Look& look, TextFont font, int left, Frame& frame) const
{
    const CellColours colours = coloursOf(m_style, look.attribute);
    for (int y = 0; y < row.height; ++y) {
        const int scanLine = (row.firstScanLine + (m_style.doubledLines ? y / 2 : y)) & 31;
        unsigned dots = dotsOf(m_style, look.character, font[look.character * 32u + static_cast<unsigned>(scanLine)]);
        if ((look.attribute & 7) == 1 && scanLine == m_style.underlineScanLine)
            dots = allDots;
        if (look.hidden)
            dots = 0;
        if (look.cursor && scanLine >= m_style.cursorFirstScanLine && scanLine <= m_style.cursorLastScanLine)
            dots = allDots;
        const auto pixel = static_cast<size_t>(row.top + y) * static_cast<size_t>(frame.width);
        paintDots(m_style, dots, colours, &frame.pixels[pixel + static_cast<size_t>(left)]);
    }
}

void TextModePainter::paintBlank(int width, int height, Frame& frame)
{
    m_blinks = false;
    frame.damage = {};
    if (m_blank && frame.width == width && frame.height == height)
        return;
    resize(frame, width, height);
    m_blank = true;
    frame.damage = { 0, 0, width, height };
}

} // namespace namsan
