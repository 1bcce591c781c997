// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/vga.h"

#include "tests/support/bare_board.h"
#include "vmm/devices/display/text_font_8x16.h"
#include "vmm/devices/display/vga_text_screen.h"
#include "vmm/devices/display/vga_timing.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace namsan {

class VgaTest : public ::testing::Test {
protected:
    static constexpr uint64_t text = 0xb8000;
    static constexpr Port crtc = 0x3d4, sequencer = 0x3c4, graphics = 0x3ce, status1 = 0x3da, attribute = 0x3c0;
    static constexpr uint32_t lightGrey = 0xffaaaaaa, black = 0xff000000;

    BareBoard board;
    Vga vga { board.ports(), board.mmio(), board.timers() };
    Frame frame;
    int changes = 0;

    VgaTest()
    {
        vga.setTextMode3();
        vga.changed().listen([this](const ScreenChanged&) { ++changes; });
        vga.paint(frame);
    }

    void set(Port index, uint8_t number, uint8_t value)
    {
        board.out(index, number);
        board.out(static_cast<Port>(index + 1), value);
    }
    uint8_t get(Port index, uint8_t number)
    {
        board.out(index, number);
        return board.in(static_cast<Port>(index + 1));
    }
    void setAttribute(uint8_t number, uint8_t value)
    {
        board.in(status1);
        board.out(attribute, number | 0x20);
        board.out(attribute, value);
    }
    void poke(uint64_t address, unsigned value) { board.mmio().write(address, 1, value); }
    unsigned peek(uint64_t address) { return static_cast<unsigned>(board.mmio().read(address, 1)); }
    void print(unsigned cell, std::string_view string, uint8_t colours = 0x07)
    {
        for (const char c : string)
            board.mmio().write(text + 2 * cell++, 2, static_cast<uint64_t>(colours << 8 | static_cast<uint8_t>(c)));
    }
    const Frame& painted()
    {
        vga.paint(frame);
        return frame;
    }
    uint32_t pixel(int x, int y) const { return frame.pixels[static_cast<size_t>(y * frame.width + x)]; }
    // What vgacon does to reach the fonts: planes in sequence, plane 2, window at A0000.
    void openFonts()
    {
        set(sequencer, 2, 0x04);
        set(sequencer, 4, 0x07);
        set(graphics, 4, 0x02);
        set(graphics, 5, 0x00);
        set(graphics, 6, 0x00);
    }
    void closeFonts()
    {
        set(sequencer, 2, 0x03);
        set(sequencer, 4, 0x03);
        set(graphics, 4, 0x00);
        set(graphics, 5, 0x10);
        set(graphics, 6, 0x0e);
    }
};

TEST_F(VgaTest, StartsInModeThree)
{
    EXPECT_EQ(frame.width, 720);
    EXPECT_EQ(frame.height, 400);
    ASSERT_EQ(frame.text.size(), 25u);
    EXPECT_EQ(frame.text[0], "");
    EXPECT_EQ(board.in(0x3cc), 0x67);
    EXPECT_EQ(get(crtc, 0x13), 0x28);
    EXPECT_EQ(peek(text), 0x20u);
    EXPECT_EQ(peek(text + 1), 0x07u);
}

TEST_F(VgaTest, ShowsTextAsPixelsAndAsText)
{
    print(80, "Namsan \x01\xe1");
    EXPECT_EQ(changes, 1);
    painted();
    EXPECT_EQ(frame.text[1], "Namsan ☺ß");
    EXPECT_EQ(frame.damage, (PixelRect { 0, 16, 81, 16 }));
    for (int y = 0; y < 16; ++y) {
        for (int x = 0; x < 8; ++x) {
            const bool dot = textFont8x16['N'][static_cast<size_t>(y)] >> (7 - x) & 1;
            EXPECT_EQ(pixel(x, 16 + y), dot ? lightGrey : black) << x << "," << y;
        }
    }
}

TEST_F(VgaTest, TellsOfAChangeOnceUntilItIsPainted)
{
    print(0, "many characters");
    EXPECT_EQ(changes, 1);
    painted();
    print(0, "many characters");
    EXPECT_EQ(changes, 1) << "nothing is different";
    print(0, "other");
    EXPECT_EQ(changes, 2);
}

TEST_F(VgaTest, MovesItsCursor)
{
    set(crtc, 0x0e, 0x00);
    set(crtc, 0x0f, 81);
    painted();
    EXPECT_EQ(pixel(9, 16 + 13), lightGrey);
    EXPECT_EQ(pixel(9, 16 + 12), black);
    EXPECT_EQ(pixel(0, 13), black);
    board.advance(Vga::cursorPhase);
    painted();
    EXPECT_EQ(pixel(9, 16 + 13), black);
    EXPECT_EQ(frame.damage, (PixelRect { 9, 16, 9, 16 })) << "blinking costs one cell";
    ASSERT_TRUE(vga.nextBlink());
    EXPECT_EQ(*vga.nextBlink(), 2 * Vga::cursorPhase);
    set(crtc, 0x0a, 0x2d); // cursor off
    painted();
    EXPECT_FALSE(vga.nextBlink());
}

TEST_F(VgaTest, ScrollsByItsStartAddress)
{
    print(0, "first");
    print(80, "second");
    set(crtc, 0x0d, 80);
    EXPECT_EQ(painted().text[0], "second");
}

TEST_F(VgaTest, SplitsTheScreenAtLineCompare)
{
    print(0, "status");
    print(160, "scrolled");
    set(crtc, 0x0d, 160);
    set(crtc, 0x18, 0x7f); // after 384 lines: bits 0 to 7 of 383
    set(crtc, 0x07, 0x1f); // bit 4 is bit 8 of line compare, and may be written in spite of the protection
    set(crtc, 0x09, 0x0f);
    painted();
    EXPECT_EQ(frame.text[0], "scrolled");
    EXPECT_EQ(frame.text[24], "status");
    EXPECT_EQ(frame.height, 400);
}

TEST_F(VgaTest, StartsWithinACharacterByPresetRowScan)
{
    print(0, "\xdb");
    set(crtc, 0x08, 0x05);
    painted();
    EXPECT_EQ(pixel(0, 10), lightGrey);
    EXPECT_EQ(pixel(0, 11), black) << "the first row is five lines short";
    EXPECT_EQ(frame.text.size(), 26u);
}

TEST_F(VgaTest, LoadsFontsAsLinuxDoes)
{
    print(0, "A");
    painted();
    openFonts();
    for (unsigned row = 0; row < 16; ++row)
        poke(0xa0000 + 'A' * 32 + row, row == 0 ? 0xff : 0x00);
    EXPECT_EQ(peek(0xa0000 + 'A' * 32), 0xffu);
    EXPECT_EQ(peek(0xa0000 + 'B' * 32 + 5), textFont8x16['B'][5]);
    closeFonts();
    painted();
    EXPECT_EQ(pixel(0, 0), lightGrey);
    EXPECT_EQ(pixel(7, 0), lightGrey);
    EXPECT_EQ(pixel(4, 8), black);
    EXPECT_EQ(peek(text), unsigned { 'A' }) << "the text was left alone";
}

TEST_F(VgaTest, ChoosesBetweenTwoFonts)
{
    openFonts();
    poke(0xa4000 + 'A' * 32, 0xff);
    closeFonts();
    set(sequencer, 3, 0x04); // map A (attribute bit 3) is map 1
    print(0, "A", 0x0f);
    print(1, "A", 0x07);
    painted();
    EXPECT_EQ(pixel(0, 0), 0xffffffff);
    EXPECT_EQ(pixel(9, 0), black);
    setAttribute(0x12, 0x07); // without bit 3 in the colours, as Linux sets it for 512 characters
    painted();
    EXPECT_EQ(pixel(0, 0), lightGrey);
}

TEST_F(VgaTest, PutsColoursThroughPaletteAndDac)
{
    print(0, "\xdb", 0x06);
    painted();
    EXPECT_EQ(pixel(0, 0), 0xffaa5500) << "brown, by palette entry 14";
    board.out(0x3c8, 0x14);
    board.out(0x3c9, 0x3f);
    board.out(0x3c9, 0x00);
    painted();
    EXPECT_EQ(pixel(0, 0), 0xffaa5500) << "three components go at once";
    board.out(0x3c9, 0x20);
    painted();
    EXPECT_EQ(pixel(0, 0), 0xffff0082);
    board.out(0x3c7, 0x14);
    EXPECT_EQ(board.in(0x3c7), 3);
    EXPECT_EQ(board.in(0x3c9), 0x3f);
    EXPECT_EQ(board.in(0x3c9), 0x00);
    EXPECT_EQ(board.in(0x3c9), 0x20);
    setAttribute(0x06, 0x01);
    painted();
    EXPECT_EQ(pixel(0, 0), 0xff0000aa);
    board.out(0x3c6, 0x00);
    painted();
    EXPECT_EQ(pixel(0, 0), black);
}

TEST_F(VgaTest, ReadsItsAttributeControllerByTurns)
{
    board.in(status1);
    board.out(attribute, 0x10);
    EXPECT_EQ(board.in(0x3c1), 0x0c);
    EXPECT_EQ(board.in(attribute), 0x10);
    painted();
    EXPECT_EQ(pixel(0, 0), black);
    EXPECT_TRUE(frame.text.empty()) << "the palette is with the processor: nothing shows";
    board.in(status1);
    board.out(attribute, 0x20);
    EXPECT_EQ(painted().text.size(), 25u);
}

TEST_F(VgaTest, ProtectsTheFirstCrtcRegisters)
{
    set(crtc, 0x01, 0x00);
    EXPECT_EQ(get(crtc, 0x01), 0x4f);
    set(crtc, 0x11, 0x0e);
    set(crtc, 0x01, 39);
    EXPECT_EQ(get(crtc, 0x01), 39);
    EXPECT_EQ(painted().width, 360);
}

TEST_F(VgaTest, MovesItsCrtcToTheMonochromePorts)
{
    EXPECT_EQ(board.in(0x3b5), 0xff);
    board.out(0x3c2, 0x66);
    EXPECT_EQ(board.in(0x3d5), 0xff);
    EXPECT_EQ(get(0x3b4, 0x13), 0x28);
}

TEST_F(VgaTest, AnswersOnlyInItsWindow)
{
    EXPECT_EQ(peek(0xa0000), 0xffu);
    EXPECT_EQ(peek(0xb0000), 0xffu);
    set(graphics, 6, 0x0a);
    EXPECT_EQ(peek(0xb0000), 0x20u);
    EXPECT_EQ(peek(text), 0xffu);
    board.out(0x3c2, 0x65); // memory off
    EXPECT_EQ(peek(0xb0000), 0xffu);
    set(graphics, 6, 0x0e);
    board.out(0x3c2, 0x67);
    EXPECT_EQ(board.mmio().read(text, 8), 0x0720072007200720u);
}

TEST_F(VgaTest, CountsItsLines)
{
    // 900 dots by 449 lines at 28.322 MHz.
    const VgaRegisters registers = [] {
        VgaRegisters mode3 {};
        mode3.setTextMode3();
        return mode3;
    }();
    const GuestTime frameTime = vgaFrameTime(registers);
    EXPECT_EQ(frameTime.count(), 900 * 449 * 1'000'000'000ll / 28'322'000);

    int retraces = 0;
    int displayed = 0;
    uint8_t before = board.in(status1);
    constexpr int samples = 100'000;
    for (int i = 0; i < samples; ++i) {
        board.advance(std::chrono::microseconds(10));
        const uint8_t now = board.in(status1);
        retraces += (now & ~before & 8) != 0;
        displayed += !(now & 1);
        before = now;
    }
    EXPECT_EQ(retraces, 70);
    EXPECT_NEAR(displayed, samples * (720.0 / 900) * (400.0 / 449), samples / 100);
}

TEST_F(VgaTest, WritesPlanesInAllModes)
{
    openFonts();
    set(sequencer, 2, 0x0f);
    set(graphics, 0, 0x05);
    set(graphics, 1, 0x0f);
    poke(0xa1000, 0x00); // set/reset: planes 0 and 2
    set(graphics, 4, 2);
    EXPECT_EQ(peek(0xa1000), 0xffu);
    set(graphics, 4, 1);
    EXPECT_EQ(peek(0xa1000), 0x00u);

    set(graphics, 5, 0x01); // latches
    poke(0xa1001, 0xaa);
    set(graphics, 4, 0);
    EXPECT_EQ(peek(0xa1001), 0xffu);

    set(graphics, 5, 0x02); // colour of the value, under the bit mask
    set(graphics, 8, 0x0f);
    peek(0xa1000);
    poke(0xa1000, 0x02);
    EXPECT_EQ(peek(0xa1000), 0xf0u);
    set(graphics, 4, 1);
    EXPECT_EQ(peek(0xa1000), 0x0fu);

    set(graphics, 8, 0xff);
    set(graphics, 5, 0x03); // the value masks set/reset
    peek(0xa1001);
    poke(0xa1001, 0x80);
    EXPECT_EQ(peek(0xa1001), 0x00u);
    set(graphics, 5, 0x08); // compare with colour 5
    set(graphics, 2, 0x05);
    set(graphics, 7, 0x0f);
    EXPECT_EQ(peek(0xa1001), 0xffu);
    EXPECT_EQ(peek(0xa1000), 0xf0u);
}

TEST_F(VgaTest, RotatesAndCombinesInWriteModeZero)
{
    openFonts();
    set(graphics, 3, 0x1b); // exclusive or, rotated by 3
    poke(0xa1000, 0x00);
    peek(0xa1000);
    poke(0xa1000, 0x81);
    EXPECT_EQ(peek(0xa1000), 0x30u);
    poke(0xa1000, 0x81);
    EXPECT_EQ(peek(0xa1000), 0x00u);
}

TEST_F(VgaTest, ChainsFourPlanes)
{
    set(sequencer, 4, 0x0e);
    set(sequencer, 2, 0x0f);
    set(graphics, 6, 0x05);
    board.mmio().write(0xa0100, 4, 0x44332211);
    EXPECT_EQ(board.mmio().read(0xa0100, 4), 0x44332211u);
    EXPECT_EQ(painted().width, 720);
    EXPECT_EQ(pixel(0, 0), black) << "graphics modes are black";
    EXPECT_TRUE(frame.text.empty());
}

TEST_F(VgaTest, SurvivesWhateverIsProgrammed)
{
    uint32_t random = 12345;
    const auto next = [&random] { return static_cast<uint8_t>((random = random * 1664525 + 1013904223) >> 24); };
    for (int round = 0; round < 30; ++round) {
        for (int i = 0; i < 200; ++i) {
            board.out(static_cast<Port>(0x3c0 + next() % 0x1b), next());
            set(crtc, next() % 32, next());
            board.mmio().write(0xa0000 + (uint64_t { next() } << 9 | next()), 4, random);
            board.mmio().read(0xa0000 + (uint64_t { next() } << 9 | next()), 8);
        }
        vga.paint(frame);
        EXPECT_GT(frame.width, 0);
        EXPECT_LE(frame.width, 256 * 18);
        EXPECT_LE(frame.height, 1024);
        EXPECT_EQ(frame.pixels.size(), static_cast<size_t>(frame.width) * static_cast<size_t>(frame.height));
        board.in(status1);
    }
    Snapshot snapshot = board.save(vga);
    EXPECT_TRUE(board.restore(vga, snapshot)) << "what a guest can program can be restored";
}

TEST_F(VgaTest, ComesBackFromASnapshot)
{
    print(0, "saved");
    const Snapshot snapshot = board.save(vga);
    vga.reset();
    EXPECT_TRUE(painted().text.empty());
    const int before = changes;
    ASSERT_TRUE(board.restore(vga, snapshot));
    EXPECT_EQ(changes, before + 1);
    EXPECT_EQ(painted().text[0], "saved");
    EXPECT_EQ(frame.damage, (PixelRect { 0, 0, 720, 400 }));
}

TEST_F(VgaTest, RefusesDamagedSnapshotsAndKeepsItsState)
{
    print(0, "kept");
    Snapshot snapshot = board.save(vga);
    EXPECT_FALSE(board.restore(vga, Snapshot(snapshot.begin(), snapshot.end() - 1)));
    snapshot[4] = 0xff; // bits that no sequencer has
    EXPECT_FALSE(board.restore(vga, snapshot));
    EXPECT_EQ(painted().text[0], "kept");
}

TEST(TextFontTest, HasAGlyphForEveryCharacterThatShows)
{
    for (unsigned code = 1; code < 255; ++code) {
        const bool blank = std::ranges::all_of(textFont8x16[code], [](uint8_t row) { return row == 0; });
        EXPECT_EQ(blank, code == ' ') << code;
    }
    EXPECT_EQ(codePage437['A'], u'A');
    EXPECT_EQ(codePage437[0xdb], u'█');
    EXPECT_EQ(codePage437[0x01], u'☺');
}

} // namespace namsan
