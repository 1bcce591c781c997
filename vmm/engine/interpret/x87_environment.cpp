// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/x87_environment.h"

#include <cstring>

namespace namsan {

namespace {

enum Tag : uint8_t { Valid, Zero, Special, Empty };

// Words of the environment, by their place in every form.
enum Word : uint8_t { Control, Status, Tags, InstructionPointer, CodeSelector, DataPointer, DataSelector, WordCount };

constexpr uint16_t opcodeMask = 0x7ff;

Tag tagOf(const Register80& value)
{
    const unsigned exponent = value.signExponent & 0x7fff;
    const bool integerBit = value.significand >> 63;
    if (exponent == 0 && value.significand == 0)
        return Zero;
    return exponent == 0 || exponent == 0x7fff || !integerBit ? Special : Valid;
}

unsigned topOf(const FxsaveImage& image)
{
    return (image.status & x87_status::topMask) >> x87_status::topShift;
}

using Words = std::array<uint32_t, WordCount>;

void putPointersOfRealMode(const FxsaveImage& image, Words& words)
{
    const uint32_t instruction = (uint32_t { image.codeSegment } << 4) + image.instructionOffset;
    const uint32_t data = (uint32_t { image.dataSegment } << 4) + image.dataOffset;
    words[InstructionPointer] = 0xffff0000 | (instruction & 0xffff);
    words[CodeSelector] = (instruction >> 16 << 12) | (image.opcode & opcodeMask);
    words[DataPointer] = 0xffff0000 | (data & 0xffff);
    words[DataSelector] = data >> 16 << 12;
}

void putPointersOfProtectedMode(const FxsaveImage& image, Words& words)
{
    words[InstructionPointer] = image.instructionOffset;
    words[CodeSelector] = uint32_t { image.codeSegment } | uint32_t { image.opcode } << 16;
    words[DataPointer] = image.dataOffset;
    words[DataSelector] = 0xffff0000 | image.dataSegment;
}

void takePointers(FxsaveImage& image, X87EnvironmentForm form, const Words& words)
{
    if (!form.realMode) {
        image.instructionOffset = words[InstructionPointer];
        image.codeSegment = static_cast<uint16_t>(words[CodeSelector]);
        image.opcode = form.wide ? static_cast<uint16_t>(words[CodeSelector] >> 16 & opcodeMask) : uint16_t { 0 };
        image.dataOffset = words[DataPointer];
        image.dataSegment = static_cast<uint16_t>(words[DataSelector]);
        return;
    }
    const uint32_t highMask = form.wide ? 0xffff0000 : 0x000f0000;
    image.instructionOffset = (words[InstructionPointer] & 0xffff) | (words[CodeSelector] << 4 & highMask);
    image.codeSegment = 0;
    image.opcode = static_cast<uint16_t>(words[CodeSelector] & opcodeMask);
    image.dataOffset = (words[DataPointer] & 0xffff) | (words[DataSelector] << 4 & highMask);
    image.dataSegment = 0;
}

} // namespace

uint16_t fullTagWord(const FxsaveImage& image)
{
    unsigned word = 0;
    for (unsigned physical = 0; physical < 8; ++physical) {
        const bool valid = image.validTags >> physical & 1;
        const unsigned tag = valid ? tagOf(image.st[(physical - topOf(image)) & 7]) : Empty;
        word |= tag << (2 * physical);
    }
    return static_cast<uint16_t>(word);
}

void writeEnvironment(const FxsaveImage& image, X87EnvironmentForm form, std::span<uint8_t> bytes)
{
    Words words {};
    words[Control] = 0xffff0000 | image.control;
    words[Status] = 0xffff0000 | image.status;
    words[Tags] = 0xffff0000 | fullTagWord(image);
    if (form.realMode)
        putPointersOfRealMode(image, words);
    else
        putPointersOfProtectedMode(image, words);
    const unsigned width = form.size() / WordCount;
    for (unsigned i = 0; i < WordCount; ++i)
        std::memcpy(&bytes[i * width], &words[i], width);
}

void readEnvironment(FxsaveImage& image, X87EnvironmentForm form, std::span<const uint8_t> bytes)
{
    Words words {};
    const unsigned width = form.size() / WordCount;
    for (unsigned i = 0; i < WordCount; ++i)
        std::memcpy(&words[i], &bytes[i * width], width);
    image.control = static_cast<uint16_t>((words[Control] & x87ControlWritable) | x87ControlAlwaysOne);
    image.status = static_cast<uint16_t>(words[Status]);
    unsigned validTags = 0;
    for (unsigned physical = 0; physical < 8; ++physical)
        if ((words[Tags] >> (2 * physical) & 3) != Empty)
            validTags |= 1u << physical;
    image.validTags = static_cast<uint8_t>(validTags);
    takePointers(image, form, words);
}

} // namespace namsan
