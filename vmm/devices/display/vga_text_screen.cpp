// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/vga_text_screen.h"

#include "vmm/devices/display/text_font_8x16.h"

#include <algorithm>

namespace namsan {

namespace {
using Attribute = VgaRegisters::Attribute;
using Crtc = VgaRegisters::Crtc;
using Sequencer = VgaRegisters::Sequencer;

// Where the CRTC's memory address counter looks into the planes: "CRT Mode Control Register" (word or byte address,
// address wrap) and "Underline Location Register" (doubleword).
uint16_t planeAddress(const VgaRegisters& registers, uint16_t counter)
{
    const uint8_t mode = registers.crtc[Crtc::ModeControl];
    if (bit(registers.crtc[Crtc::UnderlineLocation], 6))
        return static_cast<uint16_t>(counter << 2 | counter >> 14);
    if (bit(mode, 6))
        return counter;
    const unsigned wrapped = bit(mode, 5) ? counter >> 15 : counter >> 13 & 1u;
    return static_cast<uint16_t>(counter << 1 | static_cast<int>(wrapped));
}

TextStyle styleOf(const VgaRegisters& registers)
{
    const uint8_t mode = registers.attribute[Attribute::ModeControl];
    const auto fonts = registers.sequencer[Sequencer::CharacterMapSelect];
    TextStyle style;
    style.dotsPerCharacter = static_cast<int>(registers.dotsPerCharacter());
    style.doubledDots = registers.halvedDotClock();
    style.doubledLines = registers.doubledLines();
    style.lineGraphics = bit(mode, 2);
    style.blinkByAttribute = bit(mode, 3);
    // Maps A and B as the register has them: bits 5, 3, 2 and bits 4, 1, 0.
    style.fontByAttribute = bits(fonts, 2, 2) != bits(fonts, 0, 2) || bit(fonts, 5) != bit(fonts, 4);
    style.underlineScanLine = registers.crtc[Crtc::UnderlineLocation] & 0x1f;
    style.cursorFirstScanLine = registers.crtc[Crtc::CursorStart] & 0x1f;
    style.cursorLastScanLine = bit(registers.crtc[Crtc::CursorStart], 5) ? -1 : registers.crtc[Crtc::CursorEnd] & 0x1f;
    for (unsigned index = 0; index < style.colours.size(); ++index)
        style.colours[index] = registers.colour(index);
    return style;
}

// Character maps 0 to 3 lie 16 KiB apart, 4 to 7 in the gaps ("Character Map Select Register").
TextFont fontAt(const VgaMemory& memory, unsigned map)
{
    const unsigned offset = (map & 3) * 0x4000 + (map & 4 ? 0x2000 : 0);
    return TextFont(memory.plane(2).data() + offset, 0x2000);
}

void appendUtf8(std::string& text, char16_t character)
{
    const auto byte = [&text](unsigned value) { text.push_back(static_cast<char>(value)); };
    if (character < 0x80) {
        byte(character);
    } else if (character < 0x800) {
        byte(0xc0u | character >> 6);
        byte(0x80u | (character & 0x3fu));
    } else {
        byte(0xe0u | character >> 12);
        byte(0x80u | (character >> 6 & 0x3fu));
        byte(0x80u | (character & 0x3fu));
    }
}

bool blank(uint8_t character)
{
    return character == 0x00 || character == 0x20 || character == 0xff;
}
} // namespace

std::array<TextFont, 2> vgaFonts(const VgaRegisters& registers, const VgaMemory& memory)
{
    const auto select = registers.sequencer[Sequencer::CharacterMapSelect];
    const unsigned mapA = bits(select, 2, 2) | static_cast<unsigned>(bit(select, 5)) << 2;
    const unsigned mapB = bits(select, 0, 2) | static_cast<unsigned>(bit(select, 4)) << 2;
    return { fontAt(memory, mapB), fontAt(memory, mapA) };
}

TextScreen vgaTextScreen(const VgaRegisters& registers, const VgaMemory& memory)
{
    TextScreen screen;
    screen.columns = static_cast<int>(registers.columns());
    screen.height = static_cast<int>(registers.displayedLines());
    screen.style = styleOf(registers);

    const auto characters = memory.plane(0);
    const auto attributes = memory.plane(1);
    const uint16_t cursor = static_cast<uint16_t>(
        registers.cursorLocation() + bits(registers.crtc[Crtc::CursorEnd], 5, 2)); // with the cursor's skew
    const int repeat = registers.doubledLines() ? 2 : 1;
    const int charactersHeight = static_cast<int>(registers.scanLinesPerCharacter());
    const int split = static_cast<int>(registers.lineCompare()) + 1;

    auto row = static_cast<uint16_t>(registers.startAddress() + bits(registers.crtc[Crtc::PresetRowScan], 5, 2));
    int scanLine = std::min(registers.crtc[Crtc::PresetRowScan] & 0x1f, charactersHeight - 1);
    for (int y = 0; y < screen.height;) {
        int height = std::min((charactersHeight - scanLine) * repeat, screen.height - y);
        if (y < split)
            height = std::min(height, split - y);
        screen.rows.push_back({ y, height, scanLine });
        for (int column = 0; column < screen.columns; ++column) {
            const auto counter = static_cast<uint16_t>(row + column);
            const uint16_t address = planeAddress(registers, counter);
            screen.cells.push_back({ characters[address], attributes[address], counter == cursor });
        }
        y += height;
        scanLine = 0;
        row = y == split ? uint16_t { 0 } : static_cast<uint16_t>(row + registers.crtc[Crtc::Offset] * 2);
    }
    return screen;
}

std::vector<std::string> textLines(const TextScreen& screen)
{
    std::vector<std::string> lines;
    const auto columns = static_cast<size_t>(screen.columns);
    for (size_t row = 0; row < screen.rows.size(); ++row) {
        size_t length = columns;
        while (length > 0 && blank(screen.cells[row * columns + length - 1].character))
            --length;
        std::string line;
        for (size_t column = 0; column < length; ++column) {
            const uint8_t character = screen.cells[row * columns + column].character;
            appendUtf8(line, blank(character) ? u' ' : codePage437[character]);
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

} // namespace namsan
