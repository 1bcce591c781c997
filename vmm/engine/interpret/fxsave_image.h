// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_state.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace namsan {

// An x87 register in its 16-byte place of the FXSAVE image. The low eight bytes are an MMX register as well.
struct Register80 {
    uint64_t significand = 0;
    uint16_t signExponent = 0;
    std::array<uint8_t, 6> reserved {};
};

struct alignas(16) RegisterXmm {
    std::array<uint64_t, 2> quads {};
};

// FXSAVE's 32-bit form with names. ST(i), not the physical register i, is at place i: pushing and popping move the
// registers. Intel SDM volume 1, table 10-2.
struct alignas(16) FxsaveImage {
    uint16_t control;
    uint16_t status;
    uint8_t validTags; // by physical register: 1 is not empty
    uint8_t reserved5;
    uint16_t opcode; // 11 bits
    uint32_t instructionOffset;
    uint16_t codeSegment;
    uint16_t reserved14;
    uint32_t dataOffset;
    uint16_t dataSegment;
    uint16_t reserved22;
    uint32_t mxcsr;
    uint32_t mxcsrMask;
    std::array<Register80, 8> st;
    std::array<RegisterXmm, 8> xmm;
    std::array<uint8_t, 224> unused;
};
static_assert(sizeof(FxsaveImage) == sizeof(FxsaveArea));
static_assert(offsetof(FxsaveImage, st) == 32 && offsetof(FxsaveImage, xmm) == 160);

inline FxsaveImage& imageOf(FxsaveArea& area)
{
    return reinterpret_cast<FxsaveImage&>(area);
}
inline const FxsaveImage& imageOf(const FxsaveArea& area)
{
    return reinterpret_cast<const FxsaveImage&>(area);
}

// The x87 status word. Intel SDM volume 1, 8.1.3.
namespace x87_status {
constexpr uint16_t invalid = 1 << 0;
constexpr uint16_t denormal = 1 << 1;
constexpr uint16_t zeroDivide = 1 << 2;
constexpr uint16_t overflow = 1 << 3;
constexpr uint16_t underflow = 1 << 4;
constexpr uint16_t precision = 1 << 5;
constexpr uint16_t exceptions = 0x3f; // masked by the same bits of the control word
constexpr uint16_t beforeComputing = 0x07; // not masked, these three leave all operands as they were
constexpr uint16_t stackFault = 1 << 6;
constexpr uint16_t errorSummary = 1 << 7;
constexpr uint16_t c0 = 1 << 8;
constexpr uint16_t c1 = 1 << 9;
constexpr uint16_t c2 = 1 << 10;
constexpr uint16_t c3 = 1 << 14;
constexpr uint16_t conditions = c0 | c1 | c2 | c3;
constexpr unsigned topShift = 11;
constexpr uint16_t topMask = 7 << topShift;
constexpr uint16_t busy = 1 << 15;
} // namespace x87_status

// Bits of the x87 control word that exist, and the one that reads as 1. Intel SDM volume 1, 8.1.5.
constexpr uint16_t x87ControlWritable = 0x1f3f;
constexpr uint16_t x87ControlAlwaysOne = 0x40;
constexpr uint16_t x87ControlInitial = 0x37f;

// MXCSR. Intel SDM volume 1, 10.2.3.
namespace mxcsr {
constexpr uint32_t exceptions = 0x3f;
constexpr uint32_t beforeComputing = 0x7; // invalid, denormal, divide by zero
constexpr uint32_t overflow = 1 << 3;
constexpr uint32_t underflow = 1 << 4;
constexpr uint32_t precision = 1 << 5;
constexpr unsigned maskShift = 7;
constexpr uint32_t masks = exceptions << maskShift;
constexpr uint32_t underflowMask = underflow << maskShift;
constexpr uint32_t flushToZero = 1 << 15;
constexpr uint32_t writable = 0xffff; // others: #GP
constexpr uint32_t initial = 0x1f80;
} // namespace mxcsr

} // namespace namsan
