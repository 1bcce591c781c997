// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/guest_operands.h"
#include "vmm/engine/interpret/x87_stack.h"

#include <bit>
#include <emmintrin.h>

namespace namsan {

// MMX and XMM operands of the guest.

// A host vector register that holds a guest's operand.
using Xmm = __m128i;

inline Xmm xmmOf(const RegisterXmm& guest)
{
    return std::bit_cast<Xmm>(guest.quads);
}

inline RegisterXmm& xmmRegister(Processor& processor, unsigned number)
{
    return imageOf(processor.fxsave).xmm[number];
}
inline void setXmm(Processor& processor, unsigned number, Xmm value)
{
    xmmRegister(processor, number).quads = std::bit_cast<std::array<uint64_t, 2>>(value);
}

inline Xmm readXmm128(Processor& processor, const Instruction& instruction)
{
    const uint32_t linear = operandForRead(processor, instruction, 16);
    if (instruction.entry->attributes & attribute::aligned16)
        requireAlignment16(linear);
    RegisterXmm value;
    value.quads[0] = processor.memory.read<uint64_t>(linear);
    value.quads[1] = processor.memory.read<uint64_t>(linear + 8);
    return xmmOf(value);
}

inline void writeXmm128(Processor& processor, const Instruction& instruction, const RegisterXmm& value)
{
    const uint32_t linear = operandForWrite(processor, instruction, 16);
    if (instruction.entry->attributes & attribute::aligned16)
        requireAlignment16(linear);
    else
        processor.memory.probeWrite(linear, 16);
    processor.memory.write<uint64_t>(linear, value.quads[0]);
    processor.memory.write<uint64_t>(linear + 8, value.quads[1]);
}

// ModRM.rm as an XMM register, or that many bytes of memory (the others are 0).
template <unsigned bytes> Xmm readXmmRm(Processor& processor, const Instruction& instruction)
{
    if (!instruction.rmIsMemory)
        return xmmOf(xmmRegister(processor, instruction.rm));
    if constexpr (bytes == 16)
        return readXmm128(processor, instruction);
    else if constexpr (bytes == 8)
        return xmmOf({ { processor.readOperand<uint64_t>(instruction), 0 } });
    else if constexpr (bytes == 4)
        return xmmOf({ { processor.readOperand<uint32_t>(instruction), 0 } });
    else
        return xmmOf({ { processor.readOperand<uint16_t>(instruction), 0 } });
}

inline uint32_t readRm32(Processor& processor, const Instruction& instruction)
{
    return instruction.rmIsMemory ? processor.readOperand<uint32_t>(instruction) : processor.gpr[instruction.rm];
}

// MASKMOVQ, MASKMOVDQU: writes the bytes whose mask has bit 7 set to DS:(E)DI (another segment by prefix). Bytes
// between the first and the last that are written may fault too; bytes beyond them do not. Intel SDM volume 2,
// "MASKMOVDQU".
template <size_t count>
void writeMasked(Processor& processor, const Instruction& instruction, const std::array<uint8_t, count>& bytes,
    const std::array<uint8_t, count>& mask)
{
    const auto chosen = [&](size_t i) { return mask[i] >> 7 != 0; };
    uint32_t first = 0;
    while (first < count && !chosen(first))
        ++first;
    if (first == count)
        return;
    uint32_t last = count - 1;
    while (!chosen(last))
        --last;
    const uint32_t offset = (processor.gpr[Edi] + first) & instruction.addressMask;
    const unsigned size = last - first + 1;
    const uint32_t linear = processor.linearForWrite(static_cast<SegmentIndex>(instruction.segment), offset, size);
    processor.memory.probeWrite(linear, size);
    for (uint32_t i = 0; i < size; ++i)
        if (chosen(first + i))
            processor.memory.write<uint8_t>(linear + i, bytes[first + i]);
}

// What an MMX register will be once TOP is 0, for instructions that may still fault.
inline uint64_t mmxBeforeSwitch(Processor& processor, unsigned number)
{
    X87 x87(processor);
    return x87.st((number - x87.top()) & 7).significand;
}

// The guest's MMX registers, after the switch to MMX that every MMX instruction makes. Where an operand in memory may
// fault, read it before.
class MmxRegisters {
public:
    explicit MmxRegisters(Processor& processor)
        : m_x87(processor)
    {
        m_x87.enterMmx();
    }

    uint64_t get(unsigned number) { return m_x87.st(number).significand; }
    void set(unsigned number, uint64_t value)
    {
        m_x87.st(number).significand = value;
        m_x87.st(number).signExponent = 0xffff; // SDM volume 1, 9.5.1
    }

private:
    X87 m_x87;
};

} // namespace namsan
