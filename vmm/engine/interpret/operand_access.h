// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/instruction_table.h"
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/processor.h"

#include <cstdint>
#include <type_traits>

// How the integer handlers come to their operands.
namespace namsan {

// General registers by number and width. Numbers 4 to 7 are AH, CH, DH, BH for bytes.
//
// Narrow writes store the whole register: a byte stored alone would make the next 32-bit load wait until the store has
// reached the cache.
template <class T> inline T readRegister(const Processor& processor, unsigned number)
{
    if constexpr (sizeof(T) == 1)
        return static_cast<T>(processor.gpr[number & 3] >> ((number & 4) * 2));
    else
        return static_cast<T>(processor.gpr[number]);
}

template <class T> inline void writeRegister(Processor& processor, unsigned number, T value)
{
    if constexpr (sizeof(T) == 4) {
        processor.gpr[number] = value;
    } else if constexpr (sizeof(T) == 2) {
        processor.gpr[number] = (processor.gpr[number] & 0xffff0000) | value;
    } else {
        const unsigned shift = (number & 4) * 2;
        uint32_t& whole = processor.gpr[number & 3];
        whole = (whole & ~(0xffu << shift)) | static_cast<uint32_t>(value) << shift;
    }
}

// ModRM.rm of either form, known when the handler is chosen.
template <class T, RmForm form> inline T readRm(Processor& processor, const Instruction& instruction)
{
    if constexpr (form == RmForm::Register)
        return readRegister<T>(processor, instruction.rm);
    else
        return processor.readOperand<T>(instruction);
}

template <class T, RmForm form> inline void writeRm(Processor& processor, const Instruction& instruction, T value)
{
    if constexpr (form == RmForm::Register)
        writeRegister<T>(processor, instruction.rm, value);
    else
        processor.writeOperand<T>(instruction, value);
}

// Replaces ModRM.rm by what change(old) gives. In memory a page fault is that of a write from the start, as hardware
// reports it, and comes before change() touches flags. With LOCK, change() may be called again and again.
template <class T, RmForm form, class Change>
inline void modifyRm(Processor& processor, const Instruction& instruction, Change&& change)
{
    if constexpr (form == RmForm::Register) {
        writeRegister<T>(processor, instruction.rm, change(readRegister<T>(processor, instruction.rm)));
    } else {
        const uint32_t linear = processor.linearForWrite(
            static_cast<SegmentIndex>(instruction.segment), processor.offsetOf(instruction), sizeof(T));
        if (instruction.lock) [[unlikely]] {
            processor.memory.modifyLocked<T>(linear, change);
            return;
        }
        processor.memory.probeWrite(linear, sizeof(T));
        const T old = processor.memory.read<T>(linear);
        processor.memory.write<T>(linear, change(old));
    }
}

// Which operands an encoding has, for handlers that exist once for each.
enum class OperandPattern : uint8_t {
    Rm, // one operand, or one and an implied one
    RmReg,
    RegRm,
    RmImmediate,
};

constexpr bool isRmOperand(Operand operand)
{
    switch (operand) {
    case Operand::Rm8:
    case Operand::Rm16:
    case Operand::Rm32:
    case Operand::RmV:
    case Operand::Offset8:
    case Operand::OffsetV:
        return true;
    default:
        return false;
    }
}

constexpr bool isImmediateOperand(Operand operand)
{
    return operand == Operand::Imm8 || operand == Operand::Imm8Signed || operand == Operand::Imm16
        || operand == Operand::ImmV;
}

constexpr OperandPattern patternOf(const InstructionEntry& entry)
{
    const auto [first, second, third] = entry.operands;
    if (isImmediateOperand(second))
        return OperandPattern::RmImmediate;
    if (isRmOperand(second))
        return OperandPattern::RegRm;
    if (isRmOperand(first) && second != Operand::None && second != Operand::One && second != Operand::Cl)
        return OperandPattern::RmReg;
    return OperandPattern::Rm;
}

// Chooses the instance of a template <class T, RmForm form> struct Family { static void execute(...); } for a width.
template <template <class, RmForm> class Family> Handler handlerByWidth(unsigned width, RmForm form)
{
    const bool memory = form == RmForm::Memory;
    switch (width) {
    case 1:
        return memory ? Family<uint8_t, RmForm::Memory>::execute : Family<uint8_t, RmForm::Register>::execute;
    case 2:
        return memory ? Family<uint16_t, RmForm::Memory>::execute : Family<uint16_t, RmForm::Register>::execute;
    default:
        return memory ? Family<uint32_t, RmForm::Memory>::execute : Family<uint32_t, RmForm::Register>::execute;
    }
}

template <template <class, RmForm> class Family> void bindByWidth(HandlerTable& table, Operation operation)
{
    for (const unsigned width : { 1u, 2u, 4u })
        for (const RmForm form : { RmForm::Register, RmForm::Memory })
            table.bind(operation, width, form, handlerByWidth<Family>(width, form));
}

} // namespace namsan
