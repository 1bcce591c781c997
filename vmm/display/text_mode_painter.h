// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/display/frame.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace namsan {

struct TextCell {
    uint8_t character;
    uint8_t attribute; // bits 0-3 foreground, 4-7 background; what blink and font take of them is TextStyle's
    bool cursor; // the cursor stands here

    bool operator==(const TextCell&) const = default;
};

// One row of characters where it lies on the screen. The first and the last may be cut, and so may those at a split.
struct TextRow {
    int top; // scan line of the screen
    int height; // scan lines that show
    int firstScanLine; // of the characters

    bool operator==(const TextRow&) const = default;
};

// What applies to all cells of a screen. A change of any of it means a new picture.
struct TextStyle {
    int dotsPerCharacter = 9; // 8 or 9
    bool doubledDots = false; // each dot two pixels wide, as with 40 columns
    bool doubledLines = false; // each scan line of a character twice
    bool lineGraphics = true; // characters C0-DF go on into the ninth dot
    bool blinkByAttribute = true; // attribute bit 7: blinking, not a bright background
    bool fontByAttribute = false; // attribute bit 3: chooses between the two fonts
    int underlineScanLine = 31; // of characters with foreground 1
    int cursorFirstScanLine = 0;
    int cursorLastScanLine = 0; // less than the first: no cursor
    std::array<uint32_t, 16> colours {}; // 0xffRRGGBB

    bool operator==(const TextStyle&) const = default;
};

// 256 characters of 32 scan lines each, the leftmost dot in bit 7.
using TextFont = std::span<const uint8_t, 256 * 32>;

// A screen full of text, taken out of a display adapter's registers and memory.
struct TextScreen {
    int columns = 0;
    int height = 0; // scan lines, all of them in rows
    std::vector<TextRow> rows;
    std::vector<TextCell> cells; // columns for each row
    TextStyle style;
};

// The two phases of what blinks.
struct BlinkPhase {
    bool cursorShows = true;
    bool charactersShow = true;
};

// Turns text into pixels, painting again only the cells that have changed.
class TextModePainter {
public:
    // fonts: what attribute bit 3 = 0 and 1 choose; fontsChanged: since the last call. The frame is the same one each
    // time. Sets its size, pixels and damage.
    void paint(const TextScreen&, const std::array<TextFont, 2>& fonts, bool fontsChanged, BlinkPhase, Frame&);

    // Black of the given size, in pixels, instead of text.
    void paintBlank(int width, int height, Frame&);

    // Whether anything blinks on the screen that was painted last.
    bool blinks() const { return m_blinks; }

private:
    // All that decides how one cell looks, given style and fonts.
    struct Look {
        uint8_t character;
        uint8_t attribute;
        bool cursor;
        bool hidden;

        bool operator==(const Look&) const = default;
    };

    bool sameLayout(const TextScreen&, const Frame&) const;
    void paintCell(const TextRow&, const Look&, TextFont, int left, Frame&) const;

    int m_columns = 0;
    std::vector<TextRow> m_rows;
    TextStyle m_style;
    std::vector<Look> m_looks; // empty: nothing painted that could be kept
    bool m_blinks = false;
    bool m_blank = false;
};

} // namespace namsan
