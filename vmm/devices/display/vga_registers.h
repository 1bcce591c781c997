// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/bits.h"

#include <array>
#include <cstdint>

namespace namsan {

// The registers of a VGA by the names of its manual: IBM Personal System/2 Hardware Interface Technical Reference,
// "Video Subsystem" (1992). All of them are bytes, so that they are saved as they are.
struct VgaRegisters {
    struct Crtc {
        enum Index : uint8_t {
            HorizontalTotal = 0x00,
            HorizontalDisplayEnableEnd = 0x01,
            VerticalTotal = 0x06,
            Overflow = 0x07,
            PresetRowScan = 0x08,
            MaximumScanLine = 0x09,
            CursorStart = 0x0a,
            CursorEnd = 0x0b,
            StartAddressHigh = 0x0c,
            StartAddressLow = 0x0d,
            CursorLocationHigh = 0x0e,
            CursorLocationLow = 0x0f,
            VerticalRetraceStart = 0x10,
            VerticalRetraceEnd = 0x11,
            VerticalDisplayEnableEnd = 0x12,
            Offset = 0x13,
            UnderlineLocation = 0x14,
            ModeControl = 0x17,
            LineCompare = 0x18,
        };
    };
    struct Sequencer {
        enum Index : uint8_t { Reset = 0, ClockingMode = 1, MapMask = 2, CharacterMapSelect = 3, MemoryMode = 4 };
    };
    struct Graphics {
        enum Index : uint8_t {
            SetReset = 0,
            EnableSetReset = 1,
            ColourCompare = 2,
            DataRotate = 3,
            ReadMapSelect = 4,
            Mode = 5,
            Miscellaneous = 6,
            ColourDoNotCare = 7,
            BitMask = 8,
        };
    };
    struct Attribute {
        enum Index : uint8_t {
            ModeControl = 0x10,
            OverscanColour = 0x11,
            ColourPlaneEnable = 0x12,
            HorizontalPelPanning = 0x13,
            ColourSelect = 0x14,
        };
    };

    uint8_t miscellaneousOutput;
    uint8_t featureControl;
    uint8_t videoSubsystemEnable;

    uint8_t sequencerIndex;
    std::array<uint8_t, 5> sequencer;
    uint8_t crtcIndex;
    std::array<uint8_t, 25> crtc;
    uint8_t graphicsIndex;
    std::array<uint8_t, 9> graphics;
    uint8_t attributeIndex; // with palette address source in bit 5
    uint8_t attributeTakesData; // the flip-flop: the next write to 3C0 is data
    std::array<uint8_t, 21> attribute;

    uint8_t pixelMask;
    uint8_t dacWriteIndex;
    uint8_t dacReadIndex;
    uint8_t dacState; // 0: written last, 3: read last
    uint8_t dacComponent; // 0 red, 1 green, 2 blue
    std::array<uint8_t, 3> dacWritten; // components on their way into the DAC: all three go at once
    std::array<std::array<uint8_t, 3>, 256> dac; // 6 bits each

    std::array<uint8_t, 4> latches; // one per plane: what the processor last read

    // What BIOS mode 3 is made of: 80 by 25 characters of 9 by 16 dots, 16 colours (the tables of the manual's "Video
    // BIOS modes"). Latches are kept.
    void setTextMode3();

    // Whether every register holds what a write could have put there.
    bool possible() const;

    // Which bits of each register exist; the others read as 0.
    static const std::array<uint8_t, 5> sequencerBits;
    static const std::array<uint8_t, 25> crtcBits;
    static const std::array<uint8_t, 9> graphicsBits;
    static const std::array<uint8_t, 21> attributeBits;
    static constexpr uint8_t paletteAddressSource = 0x20;

    bool colourPorts() const { return bit(miscellaneousOutput, 0); } // CRTC at 3D4, else 3B4
    bool memoryEnabled() const { return bit(miscellaneousOutput, 1); }
    bool alphanumeric() const
    {
        return !bit(graphics[Graphics::Miscellaneous], 0) && !bit(attribute[Attribute::ModeControl], 0);
    }
    // Nothing but black reaches the screen: sequencer's screen off, CRTC held, palette with the processor.
    bool blanked() const
    {
        return bit(sequencer[Sequencer::ClockingMode], 5) || !bit(crtc[Crtc::ModeControl], 7)
            || !(attributeIndex & paletteAddressSource);
    }

    unsigned dotsPerCharacter() const { return bit(sequencer[Sequencer::ClockingMode], 0) ? 8 : 9; }
    bool halvedDotClock() const { return bit(sequencer[Sequencer::ClockingMode], 3); }
    unsigned columns() const { return crtc[Crtc::HorizontalDisplayEnableEnd] + 1u; }
    unsigned scanLinesPerCharacter() const { return (crtc[Crtc::MaximumScanLine] & 0x1fu) + 1; }
    bool doubledLines() const { return bit(crtc[Crtc::MaximumScanLine], 7); }
    unsigned verticalTotal() const { return withOverflow(Crtc::VerticalTotal, 0, 5) + 2; }
    unsigned displayedLines() const { return withOverflow(Crtc::VerticalDisplayEnableEnd, 1, 6) + 1; }
    unsigned verticalRetraceStart() const { return withOverflow(Crtc::VerticalRetraceStart, 2, 7); }
    unsigned lineCompare() const
    {
        return crtc[Crtc::LineCompare] | bit(crtc[Crtc::Overflow], 4) << 8 | bit(crtc[Crtc::MaximumScanLine], 6) << 9;
    }
    uint16_t startAddress() const { return pair(Crtc::StartAddressHigh, Crtc::StartAddressLow); }
    uint16_t cursorLocation() const { return pair(Crtc::CursorLocationHigh, Crtc::CursorLocationLow); }

    // The colour of an attribute controller's index, 0xffRRGGBB.
    uint32_t colour(unsigned index) const;

private:
    unsigned withOverflow(uint8_t low, unsigned bit8, unsigned bit9) const
    {
        return crtc[low] | bit(crtc[Crtc::Overflow], bit8) << 8 | bit(crtc[Crtc::Overflow], bit9) << 9;
    }
    uint16_t pair(uint8_t high, uint8_t low) const { return static_cast<uint16_t>(crtc[high] << 8 | crtc[low]); }
};

} // namespace namsan
