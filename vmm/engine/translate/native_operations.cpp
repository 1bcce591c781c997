// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/native_operations.h"

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/translate/floating_point_operations.h"

#include <array>
#include <initializer_list>

namespace namsan {

namespace {

bool isByteRegister(Operand operand)
{
    return operand == Operand::Reg8 || operand == Operand::Rm8;
}

// What an operand in ModRM.rm (or at a direct offset) is: its width in bytes, or that the operand size tells it. Looked
// at for each operand of each instruction, so they are a table.
constexpr uint8_t notInRm = 0;
constexpr uint8_t operandSized = 0xff;
constexpr std::array<uint8_t, 256> rmWidths = [] {
    std::array<uint8_t, 256> widths {};
    const auto set = [&widths](std::initializer_list<Operand> operands, uint8_t width) {
        for (const Operand operand : operands)
            widths[static_cast<size_t>(operand)] = width;
    };
    set({ Operand::Rm8, Operand::Mem8, Operand::Offset8, Operand::OpcodeReg8 }, 1);
    set({ Operand::Rm16, Operand::Mem16, Operand::XmmRm16 }, 2);
    set({ Operand::Rm32, Operand::Mem32, Operand::MmxRm32, Operand::XmmRm32 }, 4);
    set({ Operand::Mem64, Operand::MmxRm64, Operand::XmmRm64 }, 8);
    set({ Operand::Mem80 }, 10);
    set({ Operand::Mem128, Operand::XmmRm128 }, 16);
    set({ Operand::RmV, Operand::OffsetV, Operand::OpcodeRegV }, operandSized);
    return widths;
}();

bool isRm(Operand operand)
{
    return rmWidths[static_cast<size_t>(operand)] != notInRm;
}

// AH, CH, DH and BH cannot be named beside a register that needs a REX prefix, as ESP's does.
bool mixesHighByteWithEsp(const Instruction& instruction)
{
    if (instruction.rmIsMemory || instruction.entry->modRm == ModRm::Absent
        || (instruction.rm != Esp && instruction.reg != Esp))
        return false;
    const auto& operands = instruction.entry->operands;
    bool highByte = false;
    bool esp = false;
    for (const Operand operand : operands) {
        const bool inRm = isRm(operand);
        const bool inReg = operand == Operand::Reg8 || operand == Operand::Reg16 || operand == Operand::Reg32
            || operand == Operand::RegV;
        if (!inRm && !inReg)
            continue;
        const unsigned number = inRm ? instruction.rm : instruction.reg;
        if (isByteRegister(operand))
            highByte |= number >= 4;
        else
            esp |= number == Esp;
    }
    return highByte && esp;
}

// What is left out is rare: LODS that repeats, CMPS and SCAS that do not.
bool isNativeString(const Instruction& instruction)
{
    const bool repeats = instruction.rep || instruction.repne;
    switch (instruction.entry->operation) {
    case Operation::Lods:
        return !repeats;
    case Operation::Cmps:
    case Operation::Scas:
        return repeats;
    default:
        return true;
    }
}

// At level 0 they always may, and there is no virtual-8086 mode here.
bool isNativeFlagOperation(const Instruction& instruction, uint32_t mode)
{
    const Operation operation = instruction.entry->operation;
    if (operation == Operation::Pushf)
        return instruction.operandSize == 4;
    if (mode & unit_mode::user)
        return false;
    return operation == Operation::Cli || (operation == Operation::Popf && instruction.operandSize == 4);
}

bool isNativeOperation(const Instruction& instruction)
{
    const unsigned size = instruction.operandSize;
    switch (instruction.entry->operation) {
    case Operation::Div:
    case Operation::Idiv:
        return rmWidth(instruction) == 4;
    case Operation::Bt:
    case Operation::Bts:
    case Operation::Btr:
    case Operation::Btc: // in memory a bit number from a register reaches beyond the operand
        return !instruction.rmIsMemory || instruction.entry->operands[1] == Operand::Imm8 || size == 4;
    case Operation::Movs:
    case Operation::Lods:
    case Operation::Cmps:
        return !instruction.address16 && instruction.segment != Fs && instruction.segment != Gs
            && isNativeString(instruction);
    case Operation::Stos:
    case Operation::Scas:
        return !instruction.address16 && isNativeString(instruction);
    case Operation::Cld:
    case Operation::Std:
        return true;
    case Operation::Cmpxchg: // AL is an operand as well, so it cannot change places with AH meanwhile
        return rmWidth(instruction) != 1 || !instruction.rmIsMemory;
    case Operation::Cmpxchg8b:
        return true;
    case Operation::Bswap:
    case Operation::Push:
    case Operation::Pop:
    case Operation::Leave:
    case Operation::JmpRelative:
    case Operation::JmpIndirect:
    case Operation::CallRelative:
    case Operation::CallIndirect:
    case Operation::RetNear:
    case Operation::Jcc:
        return size == 4;
    case Operation::Loop:
    case Operation::Loope:
    case Operation::Loopne:
    case Operation::Jcxz:
        return size == 4 && !instruction.address16;
    default:
        return (instruction.entry->operation >= Operation::Add && instruction.entry->operation <= Operation::Xadd)
            || (instruction.entry->operation >= Operation::Bsf && instruction.entry->operation <= Operation::Cmovcc)
            || instruction.entry->operation == Operation::SignExtendAccumulator
            || instruction.entry->operation == Operation::SignExtendIntoDx
            || (instruction.entry->operation >= Operation::Lahf && instruction.entry->operation <= Operation::Cmc)
            || (instruction.entry->operation == Operation::Nop && instruction.entry->opcode != 0x0d);
    }
}

} // namespace

bool isLocked(const Instruction& instruction)
{
    return instruction.rmIsMemory && (instruction.lock || instruction.entry->operation == Operation::Xchg);
}

bool isPause(const Instruction& instruction)
{
    return instruction.rep && instruction.entry->operation == Operation::Xchg && !instruction.rmIsMemory
        && instruction.entry->modRm == ModRm::Absent && instruction.reg == Eax;
}

unsigned rmWidth(const Instruction& instruction)
{
    for (const Operand operand : instruction.entry->operands)
        if (const uint8_t width = rmWidths[static_cast<size_t>(operand)]; width != notInRm)
            return width == operandSized ? instruction.operandSize : width;
    return instruction.operandSize;
}

bool writesRm(const Instruction& instruction)
{
    const InstructionEntry& entry = *instruction.entry;
    return isRm(entry.operands[0]) && (entry.attributes & attribute::writesDestination);
}

bool readsRm(const Instruction& instruction)
{
    const InstructionEntry& entry = *instruction.entry;
    return !isRm(entry.operands[0]) || (entry.attributes & attribute::readsDestination);
}

bool mayStore(const Instruction& instruction, bool native)
{
    switch (instruction.entry->operation) {
    case Operation::Push:
    case Operation::Pushf:
    case Operation::CallRelative:
    case Operation::CallIndirect:
    case Operation::Movs:
    case Operation::Stos:
        return true;
    default:
        return (instruction.rmIsMemory && writesRm(instruction)) || !native;
    }
}

unsigned stringElementSize(const Instruction& instruction)
{
    return instruction.opcode & 1 ? instruction.operandSize : 1;
}

bool isNative(const Instruction& instruction, uint32_t mode)
{
    if (isNativeFlagOperation(instruction, mode))
        return true;
    if (isFloatingPoint(instruction) ? !isNativeFloatingPoint(instruction, mode)
                                     : !isNativeOperation(instruction) || mixesHighByteWithEsp(instruction))
        return false;
    if (!instruction.rmIsMemory)
        return true;
    if (instruction.entry->operation == Operation::Lea)
        return !instruction.address16;
    if ((instruction.segment == Fs && !(mode & unit_mode::fsIsWhole))
        || (instruction.segment == Gs && !(mode & unit_mode::gsIsWhole)))
        return false;
    // Code segments are not written; the check and its fault are the interpreter's.
    return !instruction.address16 && !(instruction.segment == Cs && writesRm(instruction));
}

bool loadsDataSegment(const Instruction& instruction)
{
    constexpr uint8_t popEs = 0x07;
    constexpr uint8_t popDs = 0x1f;
    const Operation operation = instruction.entry->operation;
    return (operation == Operation::MoveToSegment && (instruction.reg == Ds || instruction.reg == Es))
        || (operation == Operation::PopSegment && (instruction.opcode == popEs || instruction.opcode == popDs));
}

bool endsUnit(const Instruction& instruction, bool native)
{
    if (loadsDataSegment(instruction))
        return false;
    if (changesFloatingPointMode(instruction))
        return !native;
    switch (instruction.entry->operation) {
    case Operation::Popf:
        return !native;
    case Operation::Cli:
    case Operation::Pushf:
    case Operation::MoveFromControl:
    case Operation::MoveFromDebug:
        return false;
    case Operation::Jcc:
    case Operation::Loop:
    case Operation::Loope:
    case Operation::Loopne:
    case Operation::Jcxz:
        return !native;
    case Operation::PopSegment:
    case Operation::LoadFarPointer:
        return true;
    default:
        return instruction.entry->attributes & (attribute::endsBlock | attribute::privileged | attribute::ioPrivileged);
    }
}

} // namespace namsan
