// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/general_handlers.h"
#include "vmm/engine/interpret/host_arithmetic.h"
#include "vmm/engine/interpret/operand_access.h"

#include <limits>
#include <type_traits>

namespace namsan {

namespace {

using host_arithmetic::Pair;

constexpr unsigned ah = 4; // the number of AH among byte registers

template <class T> Pair<T> readPair(const Processor& processor)
{
    return { readRegister<T>(processor, Eax), readRegister<T>(processor, sizeof(T) == 1 ? ah : unsigned { Edx }) };
}

template <class T> void writePair(Processor& processor, Pair<T> pair)
{
    writeRegister<T>(processor, Eax, pair.low);
    writeRegister<T>(processor, sizeof(T) == 1 ? ah : unsigned { Edx }, pair.high);
}

template <class Host> struct WideMultiplication {
    template <class T, RmForm form> struct Of {
        static void execute(Processor& processor, const Instruction& instruction)
        {
            const T operand = readRm<T, form>(processor, instruction);
            writePair<T>(
                processor, Host::template apply<T>(readPair<T>(processor), operand, processor.arithmeticFlags));
        }
    };
};

template <class T, RmForm form> struct UnsignedDivision {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        const T divisor = readRm<T, form>(processor, instruction);
        const Pair<T> dividend = readPair<T>(processor);
        if (dividend.high >= divisor) // the quotient would not fit, or there is none
            throw Fault { Exception::DivideError, {} };
        writePair<T>(processor, host_arithmetic::Div::apply<T>(dividend, divisor, processor.arithmeticFlags));
    }
};

template <class T, RmForm form> struct SignedDivision {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        const T divisor = readRm<T, form>(processor, instruction);
        const Pair<T> dividend = readPair<T>(processor);
        if (!quotientFits(dividend, divisor))
            throw Fault { Exception::DivideError, {} };
        writePair<T>(processor, host_arithmetic::Idiv::apply<T>(dividend, divisor, processor.arithmeticFlags));
    }

    static bool quotientFits(Pair<T> dividend, T divisor)
    {
        using Signed = std::make_signed_t<T>;
        constexpr unsigned width = 8 * sizeof(T);
        const auto wide
            = static_cast<int64_t>((static_cast<uint64_t>(dividend.high) << width | dividend.low) << (64 - 2 * width))
            >> (64 - 2 * width);
        const auto by = static_cast<int64_t>(static_cast<Signed>(divisor));
        if (by == 0 || (by == -1 && wide == std::numeric_limits<int64_t>::min()))
            return false;
        const int64_t quotient = wide / by;
        return quotient >= std::numeric_limits<Signed>::min() && quotient <= std::numeric_limits<Signed>::max();
    }
};

template <class T, RmForm form, bool immediate>
void multiplyTruncating(Processor& processor, const Instruction& instruction)
{
    const T source = readRm<T, form>(processor, instruction);
    const T factor = immediate ? static_cast<T>(instruction.immediate) : readRegister<T>(processor, instruction.reg);
    writeRegister<T>(
        processor, instruction.reg, host_arithmetic::Imul::apply<T>(source, factor, processor.arithmeticFlags));
}

template <class T, RmForm form> Handler chooseTruncatingForm(bool immediate)
{
    return immediate ? multiplyTruncating<T, form, true> : multiplyTruncating<T, form, false>;
}

Handler chooseTruncating(const InstructionEntry& entry, unsigned width, RmForm form)
{
    const bool immediate = entry.operands[2] != Operand::None;
    if (width == 2)
        return form == RmForm::Memory ? chooseTruncatingForm<uint16_t, RmForm::Memory>(immediate)
                                      : chooseTruncatingForm<uint16_t, RmForm::Register>(immediate);
    return form == RmForm::Memory ? chooseTruncatingForm<uint32_t, RmForm::Memory>(immediate)
                                  : chooseTruncatingForm<uint32_t, RmForm::Register>(immediate);
}

} // namespace

void bindMultiplication(HandlerTable& table)
{
    bindByWidth<WideMultiplication<host_arithmetic::Mul>::Of>(table, Operation::Mul);
    bindByWidth<WideMultiplication<host_arithmetic::ImulWide>::Of>(table, Operation::Imul);
    bindByWidth<UnsignedDivision>(table, Operation::Div);
    bindByWidth<SignedDivision>(table, Operation::Idiv);
    table.bind(Operation::ImulTruncating, chooseTruncating);
}

} // namespace namsan
