// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/general_handlers.h"
#include "vmm/engine/interpret/operand_access.h"

#include <utility>

namespace namsan {

namespace {

template <OperandPattern pattern> struct Mov {
    template <class T, RmForm form> struct Of {
        static void execute(Processor& processor, const Instruction& instruction)
        {
            if constexpr (pattern == OperandPattern::RegRm)
                writeRegister<T>(processor, instruction.reg, readRm<T, form>(processor, instruction));
            else if constexpr (pattern == OperandPattern::RmImmediate)
                writeRm<T, form>(processor, instruction, static_cast<T>(instruction.immediate));
            else
                writeRm<T, form>(processor, instruction, readRegister<T>(processor, instruction.reg));
        }
    };
};

Handler chooseMov(const InstructionEntry& entry, unsigned width, RmForm form)
{
    switch (patternOf(entry)) {
    case OperandPattern::RegRm:
        return handlerByWidth<Mov<OperandPattern::RegRm>::Of>(width, form);
    case OperandPattern::RmImmediate:
        return handlerByWidth<Mov<OperandPattern::RmImmediate>::Of>(width, form);
    default:
        return handlerByWidth<Mov<OperandPattern::RmReg>::Of>(width, form);
    }
}

// MOVZX and MOVSX: To and From differ in signedness only where the value is extended by its sign.
template <class To, class From> struct Extend {
    template <RmForm form> static void execute(Processor& processor, const Instruction& instruction)
    {
        using Raw = std::make_unsigned_t<From>;
        const auto value = static_cast<From>(readRm<Raw, form>(processor, instruction));
        writeRegister<To>(processor, instruction.reg, static_cast<To>(value));
    }
};

template <class From> void bindExtension(HandlerTable& table, Operation operation)
{
    table.bind(operation, 2, RmForm::Register, Extend<uint16_t, From>::template execute<RmForm::Register>);
    table.bind(operation, 2, RmForm::Memory, Extend<uint16_t, From>::template execute<RmForm::Memory>);
    table.bind(operation, 4, RmForm::Register, Extend<uint32_t, From>::template execute<RmForm::Register>);
    table.bind(operation, 4, RmForm::Memory, Extend<uint32_t, From>::template execute<RmForm::Memory>);
}

void executeMovnti(Processor& processor, const Instruction& instruction)
{
    processor.writeOperand<uint32_t>(instruction, processor.gpr[instruction.reg]);
}

template <class T> void executeLea(Processor& processor, const Instruction& instruction)
{
    writeRegister<T>(processor, instruction.reg, static_cast<T>(processor.offsetOf(instruction)));
}

void executeXlat(Processor& processor, const Instruction& instruction)
{
    const uint32_t offset = (processor.gpr[Ebx] + readRegister<uint8_t>(processor, Eax)) & instruction.addressMask;
    const auto value = processor.read<uint8_t>(static_cast<SegmentIndex>(instruction.segment), offset);
    writeRegister<uint8_t>(processor, Eax, value);
}

template <class T, RmForm form> struct Xchg {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        const T value = readRegister<T>(processor, instruction.reg);
        T before = 0;
        const auto change = [&](T old) {
            before = old;
            return value;
        };
        // Locked with and without the prefix. Intel SDM volume 2, XCHG.
        if constexpr (form == RmForm::Memory)
            processor.memory.modifyLocked<T>(processor.linearForWrite(static_cast<SegmentIndex>(instruction.segment),
                                                 processor.offsetOf(instruction), sizeof(T)),
                change);
        else
            modifyRm<T, form>(processor, instruction, change);
        writeRegister<T>(processor, instruction.reg, before);
    }
};

template <class T> void exchangeAccumulator(Processor& processor, const Instruction& instruction)
{
    if (instruction.rep && instruction.reg == Eax)
        processor.pause();
    const T before = readRegister<T>(processor, Eax);
    writeRegister<T>(processor, Eax, readRegister<T>(processor, instruction.reg));
    writeRegister<T>(processor, instruction.reg, before);
}

Handler chooseXchg(const InstructionEntry& entry, unsigned width, RmForm form)
{
    if (entry.operands[1] == Operand::OpcodeRegV)
        return width == 2 ? exchangeAccumulator<uint16_t> : exchangeAccumulator<uint32_t>;
    return handlerByWidth<Xchg>(width, form);
}

// With a 16-bit operand the manual leaves the result open; the host says what it is.
template <class T> void executeBswap(Processor& processor, const Instruction& instruction)
{
    uint32_t value = processor.gpr[instruction.reg];
    if constexpr (sizeof(T) == 2)
        asm(".byte 0x66; bswap %%eax" : "+a"(value));
    else
        value = __builtin_bswap32(value);
    processor.gpr[instruction.reg] = value;
}

template <unsigned condition> struct ConditionalMove {
    // The source is read whatever the condition says. Intel SDM volume 2, "CMOVcc".
    template <class T, RmForm form> struct Of {
        static void execute(Processor& processor, const Instruction& instruction)
        {
            const T value = readRm<T, form>(processor, instruction);
            if (host_flags::holds<condition>(processor.arithmeticFlags))
                writeRegister<T>(processor, instruction.reg, value);
        }
    };
    static Handler choose(unsigned width, RmForm form) { return handlerByWidth<Of>(width, form); }
};

template <unsigned condition> struct ConditionalSet {
    template <RmForm form> static void execute(Processor& processor, const Instruction& instruction)
    {
        writeRm<uint8_t, form>(processor, instruction, host_flags::holds<condition>(processor.arithmeticFlags));
    }
    static Handler choose(unsigned, RmForm form)
    {
        return form == RmForm::Memory ? execute<RmForm::Memory> : execute<RmForm::Register>;
    }
};

template <template <unsigned> class Family, size_t... conditions>
Handler chooseByCondition(unsigned condition, unsigned width, RmForm form, std::index_sequence<conditions...>)
{
    using Choose = Handler (*)(unsigned, RmForm);
    static constexpr Choose byCondition[] = { Family<conditions>::choose... };
    return byCondition[condition](width, form);
}

template <template <unsigned> class Family>
Handler chooseConditional(const InstructionEntry& entry, unsigned width, RmForm form)
{
    return chooseByCondition<Family>(entry.opcode & 15, width, form, std::make_index_sequence<16>());
}

void executeNop(Processor&, const Instruction&) { }

void executeUd(Processor&, const Instruction&)
{
    throwInvalidOpcode();
}

// #BR where the index is outside the two bounds in memory. Intel SDM volume 2, "BOUND".
template <class T> void executeBound(Processor& processor, const Instruction& instruction)
{
    using Signed = std::make_signed_t<T>;
    const auto segment = static_cast<SegmentIndex>(instruction.segment);
    const uint32_t linear = processor.linearForRead(segment, processor.offsetOf(instruction), 2 * sizeof(T));
    const auto lower = static_cast<Signed>(processor.memory.read<T>(linear));
    const auto upper = static_cast<Signed>(processor.memory.read<T>(linear + static_cast<uint32_t>(sizeof(T))));
    const auto index = static_cast<Signed>(readRegister<T>(processor, instruction.reg));
    if (index < lower || index > upper)
        throw Fault { Exception::BoundRange, {} };
}

} // namespace

void bindMoves(HandlerTable& table)
{
    table.bind(Operation::Mov, chooseMov);
    bindExtension<uint8_t>(table, Operation::MovzxByte);
    bindExtension<uint16_t>(table, Operation::MovzxWord);
    bindExtension<int8_t>(table, Operation::MovsxByte);
    bindExtension<int16_t>(table, Operation::MovsxWord);
    table.bind(Operation::Movnti, executeMovnti);
    table.bind(Operation::Lea, 2, executeLea<uint16_t>);
    table.bind(Operation::Lea, 4, executeLea<uint32_t>);
    table.bind(Operation::Xlat, executeXlat);
    table.bind(Operation::Xchg, chooseXchg);
    table.bind(Operation::Bswap, 2, executeBswap<uint16_t>);
    table.bind(Operation::Bswap, 4, executeBswap<uint32_t>);
    table.bind(Operation::Cmovcc, chooseConditional<ConditionalMove>);
    table.bind(Operation::Setcc, chooseConditional<ConditionalSet>);
    table.bind(Operation::Nop, executeNop);
    table.bind(Operation::Ud, executeUd);
    table.bind(Operation::Bound, 2, executeBound<uint16_t>);
    table.bind(Operation::Bound, 4, executeBound<uint32_t>);
}

} // namespace namsan
