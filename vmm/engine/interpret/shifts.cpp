// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/general_handlers.h"
#include "vmm/engine/interpret/host_arithmetic.h"
#include "vmm/engine/interpret/operand_access.h"

namespace namsan {

namespace {

enum class CountSource { One, Immediate, Cl };

template <CountSource source> uint8_t countOf(const Processor& processor, const Instruction& instruction)
{
    if constexpr (source == CountSource::One)
        return 1;
    else if constexpr (source == CountSource::Immediate)
        return static_cast<uint8_t>(instruction.immediate);
    else
        return static_cast<uint8_t>(processor.gpr[Ecx]);
}

template <class Host, CountSource source> struct Shift {
    template <class T, RmForm form> struct Of {
        static void execute(Processor& processor, const Instruction& instruction)
        {
            uint16_t flags = processor.arithmeticFlags;
            const uint8_t count = countOf<source>(processor, instruction);
            modifyRm<T, form>(
                processor, instruction, [&](T old) { return Host::template apply<T>(old, count, flags); });
            processor.arithmeticFlags = flags;
        }
    };
};

template <class Host> Handler chooseShift(const InstructionEntry& entry, unsigned width, RmForm form)
{
    switch (entry.operands[1]) {
    case Operand::One:
        return handlerByWidth<Shift<Host, CountSource::One>::template Of>(width, form);
    case Operand::Imm8:
        return handlerByWidth<Shift<Host, CountSource::Immediate>::template Of>(width, form);
    default:
        return handlerByWidth<Shift<Host, CountSource::Cl>::template Of>(width, form);
    }
}

template <class Host, CountSource source> struct DoubleShift {
    template <class T, RmForm form> static void execute(Processor& processor, const Instruction& instruction)
    {
        uint16_t flags = processor.arithmeticFlags;
        const uint8_t count = countOf<source>(processor, instruction);
        const T fill = readRegister<T>(processor, instruction.reg);
        modifyRm<T, form>(
            processor, instruction, [&](T old) { return Host::template apply<T>(old, fill, count, flags); });
        processor.arithmeticFlags = flags;
    }

    static Handler choose(unsigned width, RmForm form)
    {
        if (width == 2)
            return form == RmForm::Memory ? execute<uint16_t, RmForm::Memory> : execute<uint16_t, RmForm::Register>;
        return form == RmForm::Memory ? execute<uint32_t, RmForm::Memory> : execute<uint32_t, RmForm::Register>;
    }
};

template <class Host> Handler chooseDoubleShift(const InstructionEntry& entry, unsigned width, RmForm form)
{
    return entry.operands[2] == Operand::Imm8 ? DoubleShift<Host, CountSource::Immediate>::choose(width, form)
                                              : DoubleShift<Host, CountSource::Cl>::choose(width, form);
}

} // namespace

void bindShifts(HandlerTable& table)
{
    table.bind(Operation::Rol, chooseShift<host_arithmetic::Rol>);
    table.bind(Operation::Ror, chooseShift<host_arithmetic::Ror>);
    table.bind(Operation::Rcl, chooseShift<host_arithmetic::Rcl>);
    table.bind(Operation::Rcr, chooseShift<host_arithmetic::Rcr>);
    table.bind(Operation::Shl, chooseShift<host_arithmetic::Shl>);
    table.bind(Operation::Shr, chooseShift<host_arithmetic::Shr>);
    table.bind(Operation::Sar, chooseShift<host_arithmetic::Sar>);
    table.bind(Operation::Shld, chooseDoubleShift<host_arithmetic::Shld>);
    table.bind(Operation::Shrd, chooseDoubleShift<host_arithmetic::Shrd>);
}

} // namespace namsan
