// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/fxsave_image.h"
#include "vmm/engine/interpret/processor.h"

#include <cstring>
#include <span>

namespace namsan {

// Memory operands of more than eight bytes. Offsets inside an operand wrap at 4 GiB as linear addresses do.

// The bytes an operand of that size has in guest memory; faults leave everything as it was.
inline void readBytes(Processor& processor, uint32_t linear, std::span<uint8_t> bytes)
{
    if (const uint8_t* host = processor.memory.directRead(linear, static_cast<unsigned>(bytes.size()))) {
        std::memcpy(bytes.data(), host, bytes.size());
        return;
    }
    for (size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = processor.memory.read<uint8_t>(linear + static_cast<uint32_t>(i));
}

// Writes all of them or, where one of them faults, none.
inline void writeBytes(Processor& processor, uint32_t linear, std::span<const uint8_t> bytes)
{
    if (uint8_t* host = processor.memory.directWrite(linear, static_cast<unsigned>(bytes.size()))) {
        std::memcpy(host, bytes.data(), bytes.size());
        return;
    }
    processor.memory.probeWrite(linear, static_cast<unsigned>(bytes.size()));
    for (size_t i = 0; i < bytes.size(); ++i)
        processor.memory.write<uint8_t>(linear + static_cast<uint32_t>(i), bytes[i]);
}

inline uint32_t operandForRead(Processor& processor, const Instruction& instruction, unsigned size)
{
    return processor.linearForRead(
        static_cast<SegmentIndex>(instruction.segment), processor.offsetOf(instruction), size);
}
inline uint32_t operandForWrite(Processor& processor, const Instruction& instruction, unsigned size)
{
    return processor.linearForWrite(
        static_cast<SegmentIndex>(instruction.segment), processor.offsetOf(instruction), size);
}

// Intel SDM volume 3, 6.15, interrupt 13: an operand that must be aligned to 16 bytes and is not.
inline void requireAlignment16(uint32_t linear)
{
    if (linear & 15) [[unlikely]]
        throwGeneralProtection();
}

inline Register80 read80(Processor& processor, const Instruction& instruction)
{
    const uint32_t linear = operandForRead(processor, instruction, 10);
    Register80 value;
    value.significand = processor.memory.read<uint64_t>(linear);
    value.signExponent = processor.memory.read<uint16_t>(linear + 8);
    return value;
}
inline void write80(Processor& processor, const Instruction& instruction, const Register80& value)
{
    const uint32_t linear = operandForWrite(processor, instruction, 10);
    processor.memory.probeWrite(linear, 10);
    processor.memory.write<uint64_t>(linear, value.significand);
    processor.memory.write<uint16_t>(linear + 8, value.signExponent);
}

} // namespace namsan
