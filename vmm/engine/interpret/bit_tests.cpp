// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/general_handlers.h"
#include "vmm/engine/interpret/host_arithmetic.h"
#include "vmm/engine/interpret/operand_access.h"

#include <type_traits>

namespace namsan {

namespace {

template <class Host> struct Scan {
    template <class T, RmForm form> struct Of {
        static void execute(Processor& processor, const Instruction& instruction)
        {
            const T source = readRm<T, form>(processor, instruction);
            const T destination = readRegister<T>(processor, instruction.reg);
            uint16_t flags = processor.arithmeticFlags;
            const T found = Host::template apply<T>(destination, source, flags);
            processor.arithmeticFlags = flags;
            // A scan of zero leaves the whole register alone, on every processor so far.
            if (source != 0)
                writeRegister<T>(processor, instruction.reg, found);
        }
    };
    static Handler choose(const InstructionEntry&, unsigned width, RmForm form)
    {
        if (width == 2)
            return form == RmForm::Memory ? Of<uint16_t, RmForm::Memory>::execute
                                          : Of<uint16_t, RmForm::Register>::execute;
        return form == RmForm::Memory ? Of<uint32_t, RmForm::Memory>::execute : Of<uint32_t, RmForm::Register>::execute;
    }
};

// In memory a bit number from a register is signed and reaches beyond the operand; an immediate one does not.
// Intel SDM volume 2, 3.1.1.9, "Bit(BitBase, BitOffset)".
template <class T> uint32_t offsetOfBit(const Processor& processor, const Instruction& instruction, T number)
{
    const auto signedNumber = static_cast<int32_t>(static_cast<std::make_signed_t<T>>(number));
    constexpr int widthShift = sizeof(T) == 2 ? 4 : 5;
    const auto elements = static_cast<uint32_t>(signedNumber >> widthShift);
    return (processor.offsetOf(instruction) + elements * static_cast<uint32_t>(sizeof(T))) & instruction.addressMask;
}

template <class Host, bool writes, bool immediate> struct BitTest {
    template <class T, RmForm form> static void execute(Processor& processor, const Instruction& instruction)
    {
        const T number
            = immediate ? static_cast<T>(instruction.immediate) : readRegister<T>(processor, instruction.reg);
        const T within = static_cast<T>(number & (8 * sizeof(T) - 1));
        uint16_t flags = processor.arithmeticFlags;
        if constexpr (form == RmForm::Register) {
            const T result = Host::template apply<T>(readRegister<T>(processor, instruction.rm), within, flags);
            if constexpr (writes)
                writeRegister<T>(processor, instruction.rm, result);
        } else {
            const auto segment = static_cast<SegmentIndex>(instruction.segment);
            const uint32_t offset
                = immediate ? processor.offsetOf(instruction) : offsetOfBit<T>(processor, instruction, number);
            if constexpr (writes) {
                const uint32_t linear = processor.linearForWrite(segment, offset, sizeof(T));
                if (instruction.lock) {
                    processor.memory.modifyLocked<T>(linear, [&](T old) {
                        flags = processor.arithmeticFlags;
                        return Host::template apply<T>(old, within, flags);
                    });
                    processor.arithmeticFlags = flags;
                    return;
                }
                processor.memory.probeWrite(linear, sizeof(T));
                const T old = processor.memory.read<T>(linear);
                processor.memory.write<T>(linear, Host::template apply<T>(old, within, flags));
            } else {
                Host::template apply<T>(processor.read<T>(segment, offset), within, flags);
            }
        }
        processor.arithmeticFlags = flags;
    }

    static Handler choose(unsigned width, RmForm form)
    {
        if (width == 2)
            return form == RmForm::Memory ? execute<uint16_t, RmForm::Memory> : execute<uint16_t, RmForm::Register>;
        return form == RmForm::Memory ? execute<uint32_t, RmForm::Memory> : execute<uint32_t, RmForm::Register>;
    }
};

template <class Host, bool writes> Handler chooseBitTest(const InstructionEntry& entry, unsigned width, RmForm form)
{
    return entry.operands[1] == Operand::Imm8 ? BitTest<Host, writes, true>::choose(width, form)
                                              : BitTest<Host, writes, false>::choose(width, form);
}

} // namespace

void bindBitTests(HandlerTable& table)
{
    table.bind(Operation::Bsf, Scan<host_arithmetic::Bsf>::choose);
    table.bind(Operation::Bsr, Scan<host_arithmetic::Bsr>::choose);
    table.bind(Operation::Bt, chooseBitTest<host_arithmetic::Bt, false>);
    table.bind(Operation::Bts, chooseBitTest<host_arithmetic::Bts, true>);
    table.bind(Operation::Btr, chooseBitTest<host_arithmetic::Btr, true>);
    table.bind(Operation::Btc, chooseBitTest<host_arithmetic::Btc, true>);
}

} // namespace namsan
