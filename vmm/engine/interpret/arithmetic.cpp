// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/general_handlers.h"
#include "vmm/engine/interpret/host_arithmetic.h"
#include "vmm/engine/interpret/operand_access.h"

namespace namsan {

namespace {

// One handler for each operation, width, form of rm and pattern of operands.
template <class Host, bool writes, OperandPattern pattern> struct Binary {
    template <class T, RmForm form> struct Of {
        static void execute(Processor& processor, const Instruction& instruction)
        {
            uint16_t& flags = processor.arithmeticFlags;
            if constexpr (pattern == OperandPattern::RegRm) {
                const T source = readRm<T, form>(processor, instruction);
                const T result = Host::template apply<T>(readRegister<T>(processor, instruction.reg), source, flags);
                if constexpr (writes)
                    writeRegister<T>(processor, instruction.reg, result);
            } else if constexpr (writes) {
                const T source = sourceOf(processor, instruction);
                uint16_t newFlags = flags;
                modifyRm<T, form>(processor, instruction, [&](T old) {
                    newFlags = flags;
                    return Host::template apply<T>(old, source, newFlags);
                });
                flags = newFlags;
            } else {
                const T source = sourceOf(processor, instruction);
                Host::template apply<T>(readRm<T, form>(processor, instruction), source, flags);
            }
        }

        static T sourceOf(const Processor& processor, const Instruction& instruction)
        {
            if constexpr (pattern == OperandPattern::RmImmediate)
                return static_cast<T>(instruction.immediate);
            else
                return readRegister<T>(processor, instruction.reg);
        }
    };
};

template <class Host, bool writes> Handler chooseBinary(const InstructionEntry& entry, unsigned width, RmForm form)
{
    switch (patternOf(entry)) {
    case OperandPattern::RmImmediate:
        return handlerByWidth<Binary<Host, writes, OperandPattern::RmImmediate>::template Of>(width, form);
    case OperandPattern::RegRm:
        return handlerByWidth<Binary<Host, writes, OperandPattern::RegRm>::template Of>(width, form);
    default:
        return handlerByWidth<Binary<Host, writes, OperandPattern::RmReg>::template Of>(width, form);
    }
}

template <class Host> struct Unary {
    template <class T, RmForm form> struct Of {
        static void execute(Processor& processor, const Instruction& instruction)
        {
            uint16_t flags = processor.arithmeticFlags;
            modifyRm<T, form>(processor, instruction, [&](T old) {
                flags = processor.arithmeticFlags;
                return Host::template apply<T>(old, flags);
            });
            processor.arithmeticFlags = flags;
        }
    };
};

template <class T, RmForm form> struct Not {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        modifyRm<T, form>(processor, instruction, [](T old) { return static_cast<T>(~old); });
    }
};

template <class T, RmForm form> struct Xadd {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        uint16_t flags = processor.arithmeticFlags;
        const T addend = readRegister<T>(processor, instruction.reg);
        T before = 0;
        if constexpr (form == RmForm::Register) {
            // XADD of a register with itself leaves the sum: the destination is written last.
            before = readRegister<T>(processor, instruction.rm);
            writeRegister<T>(processor, instruction.reg, before);
            writeRegister<T>(processor, instruction.rm, host_arithmetic::Add::apply<T>(before, addend, flags));
        } else {
            modifyRm<T, form>(processor, instruction, [&](T old) {
                before = old;
                return host_arithmetic::Add::apply<T>(old, addend, flags);
            });
            writeRegister<T>(processor, instruction.reg, before);
        }
        processor.arithmeticFlags = flags;
    }
};

template <class T, RmForm form> struct Cmpxchg {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        uint16_t flags = processor.arithmeticFlags;
        const T expected = readRegister<T>(processor, Eax);
        T before = 0;
        // The destination is written in either case. Intel SDM volume 2, "CMPXCHG".
        modifyRm<T, form>(processor, instruction, [&](T old) {
            before = old;
            host_arithmetic::Sub::apply<T>(expected, old, flags);
            return old == expected ? readRegister<T>(processor, instruction.reg) : old;
        });
        processor.arithmeticFlags = flags;
        if (before != expected)
            writeRegister<T>(processor, Eax, before);
    }
};

void executeCmpxchg8b(Processor& processor, const Instruction& instruction)
{
    const uint32_t linear = processor.linearForWrite(
        static_cast<SegmentIndex>(instruction.segment), processor.offsetOf(instruction), sizeof(uint64_t));
    auto& gpr = processor.gpr;
    const uint64_t expected = static_cast<uint64_t>(gpr[Edx]) << 32 | gpr[Eax];
    const uint64_t replacement = static_cast<uint64_t>(gpr[Ecx]) << 32 | gpr[Ebx];
    uint64_t old = 0;
    const auto change = [&](uint64_t found) {
        old = found;
        return found == expected ? replacement : found;
    };
    if (instruction.lock) {
        processor.memory.modifyLocked<uint64_t>(linear, change);
    } else {
        processor.memory.probeWrite(linear, sizeof(uint64_t));
        processor.memory.write<uint64_t>(linear, change(processor.memory.read<uint64_t>(linear)));
    }
    if (old == expected) {
        processor.arithmeticFlags |= host_flags::zero;
    } else {
        gpr[Eax] = static_cast<uint32_t>(old);
        gpr[Edx] = static_cast<uint32_t>(old >> 32);
        processor.arithmeticFlags &= static_cast<uint16_t>(~host_flags::zero);
    }
}

} // namespace

void bindArithmetic(HandlerTable& table)
{
    table.bind(Operation::Add, chooseBinary<host_arithmetic::Add, true>);
    table.bind(Operation::Or, chooseBinary<host_arithmetic::Or, true>);
    table.bind(Operation::Adc, chooseBinary<host_arithmetic::Adc, true>);
    table.bind(Operation::Sbb, chooseBinary<host_arithmetic::Sbb, true>);
    table.bind(Operation::And, chooseBinary<host_arithmetic::And, true>);
    table.bind(Operation::Sub, chooseBinary<host_arithmetic::Sub, true>);
    table.bind(Operation::Xor, chooseBinary<host_arithmetic::Xor, true>);
    table.bind(Operation::Cmp, chooseBinary<host_arithmetic::Sub, false>);
    table.bind(Operation::Test, chooseBinary<host_arithmetic::And, false>);
    bindByWidth<Unary<host_arithmetic::Inc>::Of>(table, Operation::Inc);
    bindByWidth<Unary<host_arithmetic::Dec>::Of>(table, Operation::Dec);
    bindByWidth<Unary<host_arithmetic::Neg>::Of>(table, Operation::Neg);
    bindByWidth<Not>(table, Operation::Not);
    bindByWidth<Xadd>(table, Operation::Xadd);
    bindByWidth<Cmpxchg>(table, Operation::Cmpxchg);
    table.bind(Operation::Cmpxchg8b, executeCmpxchg8b);
}

} // namespace namsan
