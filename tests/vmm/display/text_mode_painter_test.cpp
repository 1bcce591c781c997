// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/display/text_mode_painter.h"

#include <gtest/gtest.h>

namespace namsan {

// A screen of 4 by 2 characters, 8 scan lines high, in fonts where each character's rows are its own code.
class TextModePainterTest : public ::testing::Test {
protected:
    static constexpr uint32_t black = 0xff000000, grey = 0xffaaaaaa, blue = 0xff0000aa;

    std::vector<uint8_t> plainFont = std::vector<uint8_t>(256 * 32);
    std::vector<uint8_t> otherFont = std::vector<uint8_t>(256 * 32, 0x18);
    TextScreen screen;
    TextModePainter painter;
    Frame frame;

    TextModePainterTest()
    {
        for (size_t i = 0; i < plainFont.size(); ++i)
            plainFont[i] = static_cast<uint8_t>(i / 32);
        screen.columns = 4;
        screen.height = 16;
        screen.rows = { { 0, 8, 0 }, { 8, 8, 0 } };
        screen.cells.assign(8, { 0, 0x07, false });
        screen.style.colours = { black, blue };
        screen.style.colours[7] = grey;
        screen.style.cursorFirstScanLine = 6;
        screen.style.cursorLastScanLine = 7;
    }

    void paint(BlinkPhase phase = {}, bool fontsChanged = false)
    {
        const std::array<TextFont, 2> fonts { TextFont(plainFont), TextFont(otherFont) };
        painter.paint(screen, fonts, fontsChanged, phase, frame);
    }
    // The dots of a row of a cell: '#' for pixels that are not the colour of the background.
    std::string dots(int column, int y, int width = 9, uint32_t background = black) const
    {
        std::string text;
        for (int x = column * width; x < (column + 1) * width; ++x)
            text += frame.pixels[static_cast<size_t>(y * frame.width + x)] == background ? '.' : '#';
        return text;
    }
};

TEST_F(TextModePainterTest, PaintsDotsInTheirColours)
{
    screen.cells[1] = { 0b10100101, 0x17, false };
    paint();
    EXPECT_EQ(frame.width, 36);
    EXPECT_EQ(frame.height, 16);
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, 36, 16 }));
    EXPECT_EQ(dots(1, 3, 9, blue), "#.#..#.#.") << "the ninth dot is background";
    EXPECT_EQ(frame.pixels[9], grey);
    EXPECT_EQ(frame.pixels[10], blue);
    EXPECT_EQ(frame.pixels[0], black);
}

TEST_F(TextModePainterTest, DamagesOnlyTheCellsThatChanged)
{
    paint();
    paint();
    EXPECT_TRUE(frame.damage.empty());
    screen.cells[6].character = 0xff;
    paint();
    EXPECT_EQ(frame.damage, (PixelRect { 18, 8, 9, 8 }));
    EXPECT_EQ(dots(2, 8), "########.");
    screen.style.colours[7] = 0xffffffff;
    paint();
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, 36, 16 })) << "a new palette is a new picture";
    paint({}, true);
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, 36, 16 })) << "so is a new font";
}

TEST_F(TextModePainterTest, JoinsLineGraphicsInTheNinthDot)
{
    screen.cells[0].character = 0xc1;
    screen.cells[1].character = 0xe1;
    paint();
    EXPECT_EQ(dots(0, 0), "##.....##");
    EXPECT_EQ(dots(1, 0), "###....#.");
    screen.style.lineGraphics = false;
    paint();
    EXPECT_EQ(dots(0, 0), "##.....#.");
}

TEST_F(TextModePainterTest, ShowsAndHidesTheCursor)
{
    screen.cells[0].cursor = true;
    paint();
    EXPECT_EQ(dots(0, 5), ".........");
    EXPECT_EQ(dots(0, 6), "#########");
    EXPECT_TRUE(painter.blinks());
    paint({ .cursorShows = false });
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, 9, 8 }));
    EXPECT_EQ(dots(0, 6), ".........");

    screen.style.cursorLastScanLine = -1;
    paint();
    EXPECT_EQ(dots(0, 6), ".........");
    EXPECT_FALSE(painter.blinks());
}

TEST_F(TextModePainterTest, BlinksByAttributeOrShowsABrightBackground)
{
    screen.cells[0] = { 0xff, 0x97, false };
    paint({ .charactersShow = true });
    EXPECT_EQ(dots(0, 0, 9, blue), "########.");
    paint({ .charactersShow = false });
    EXPECT_EQ(dots(0, 0, 9, blue), ".........");
    EXPECT_TRUE(painter.blinks());
    screen.style.blinkByAttribute = false;
    screen.style.colours[9] = 0xff5555ff;
    paint({ .charactersShow = false });
    EXPECT_EQ(dots(0, 0, 9, 0xff5555ff), "########.");
    EXPECT_FALSE(painter.blinks());
}

TEST_F(TextModePainterTest, UnderlinesForegroundOne)
{
    screen.style.underlineScanLine = 7;
    screen.cells[0].attribute = 0x01;
    paint();
    EXPECT_EQ(dots(0, 6), ".........");
    EXPECT_EQ(dots(0, 7), "#########");
    EXPECT_EQ(dots(1, 7), ".........");
}

TEST_F(TextModePainterTest, ChoosesTheFontByAttribute)
{
    screen.style.colours[0x0f] = 0xffffffff;
    screen.cells[0] = { 0, 0x0f, false };
    paint();
    EXPECT_EQ(dots(0, 0), ".........");
    screen.style.fontByAttribute = true;
    paint();
    EXPECT_EQ(dots(0, 0), "...##....");
}

TEST_F(TextModePainterTest, CutsAndDoublesScanLines)
{
    for (size_t row = 0; row < 8; ++row)
        plainFont[row] = static_cast<uint8_t>(1 << row);
    screen.height = 6;
    screen.rows = { { 0, 4, 3 }, { 4, 2, 0 } };
    screen.style.doubledLines = true;
    paint();
    EXPECT_EQ(dots(0, 0), "....#....") << "scan line 3";
    EXPECT_EQ(dots(0, 1), "....#....");
    EXPECT_EQ(dots(0, 2), "...#.....");
    EXPECT_EQ(dots(0, 4), ".......#.") << "the next row's first";
}

TEST_F(TextModePainterTest, DoublesDots)
{
    screen.style.dotsPerCharacter = 8;
    screen.style.doubledDots = true;
    screen.cells[0].character = 0x81;
    paint();
    EXPECT_EQ(frame.width, 64);
    EXPECT_EQ(dots(0, 0, 16), "##............##");
}

TEST_F(TextModePainterTest, GoesBlackOnceAndComesBackInWhole)
{
    screen.cells[0].character = 0xff;
    paint();
    painter.paintBlank(36, 16, frame);
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, 36, 16 }));
    EXPECT_EQ(dots(0, 0), ".........");
    painter.paintBlank(36, 16, frame);
    EXPECT_TRUE(frame.damage.empty());
    paint();
    EXPECT_EQ(dots(0, 0), "########.");
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, 36, 16 }));
}

} // namespace namsan
