// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/stack_operations.h"

#include "vmm/engine/interpret/general_handlers.h"

#include <array>

namespace namsan {

namespace {

template <class T, RmForm form> struct PushRm {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        push<T>(processor, readRm<T, form>(processor, instruction));
    }
};

template <class T, RmForm> struct PushImmediate {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        push<T>(processor, static_cast<T>(instruction.immediate));
    }
};

Handler choosePush(const InstructionEntry& entry, unsigned width, RmForm form)
{
    return isImmediateOperand(entry.operands[0]) ? handlerByWidth<PushImmediate>(width, form)
                                                 : handlerByWidth<PushRm>(width, form);
}

template <class T, RmForm form> struct PopRm {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        const T value = peek<T>(processor);
        const uint32_t popped = processor.gpr[Esp] + static_cast<uint32_t>(sizeof(T));
        if constexpr (form == RmForm::Register) {
            setStackPointer(processor, popped); // first: POP ESP gets the value
            writeRegister<T>(processor, instruction.rm, value);
        } else {
            // An address with ESP in it is computed after ESP has moved. Intel SDM volume 2, "POP".
            const uint32_t before = processor.gpr[Esp];
            setStackPointer(processor, popped);
            const uint32_t offset = processor.offsetOf(instruction);
            processor.gpr[Esp] = before;
            processor.write<T>(static_cast<SegmentIndex>(instruction.segment), offset, value);
            setStackPointer(processor, popped);
        }
    }
};

// Intel SDM volume 2, "PUSHA": where segments are paragraphs, a frame that would wrap within a word is #GP; after 1, 3
// or 5 even that could not be delivered, and it is #SS as ever.
bool wrapsWithinWord(const Processor& processor)
{
    const uint32_t stackPointer = processor.gpr[Esp] & 0xffff;
    return processor.paragraphSegments() && !processor.stack32() && (stackPointer & 1) && stackPointer >= 7
        && stackPointer <= 15;
}

template <class T> void executePusha(Processor& processor, const Instruction&)
{
    if (wrapsWithinWord(processor))
        throwGeneralProtection();
    uint32_t stackPointer = processor.gpr[Esp];
    for (unsigned reg = Eax; reg <= Edi; ++reg) {
        stackPointer -= static_cast<uint32_t>(sizeof(T));
        processor.write<T>(Ss, stackOffset(processor, stackPointer), static_cast<T>(processor.gpr[reg]));
    }
    setStackPointer(processor, stackPointer);
}

template <class T> void executePopa(Processor& processor, const Instruction&)
{
    std::array<T, 8> values {};
    for (unsigned n = 0; n < 8; ++n)
        values[7 - n] = peek<T>(processor, n * static_cast<uint32_t>(sizeof(T)));
    for (unsigned reg = Eax; reg <= Edi; ++reg)
        if (reg != Esp)
            writeRegister<T>(processor, reg, values[reg]);
    setStackPointer(processor, processor.gpr[Esp] + 8 * static_cast<uint32_t>(sizeof(T)));
}

// Intel SDM volume 2, "ENTER". What it writes lies below ESP, so a fault in between needs no undoing.
template <class T> void executeEnter(Processor& processor, const Instruction& instruction)
{
    constexpr auto size = static_cast<uint32_t>(sizeof(T));
    const unsigned level = instruction.immediate2 & 31;
    uint32_t stackPointer = processor.gpr[Esp];
    const auto pushBelow = [&](T value) {
        stackPointer -= size;
        processor.write<T>(Ss, stackOffset(processor, stackPointer), value);
    };
    pushBelow(static_cast<T>(processor.gpr[Ebp]));
    const uint32_t frame = stackPointer;
    if (level > 0) {
        uint32_t display = processor.gpr[Ebp];
        for (unsigned n = 1; n < level; ++n) {
            display -= size;
            pushBelow(processor.read<T>(Ss, stackOffset(processor, display)));
        }
        pushBelow(static_cast<T>(frame));
    }
    stackPointer -= instruction.immediate;
    // The next push must be possible, or ENTER itself faults.
    processor.memory.probeWrite(processor.linearForWrite(Ss, stackOffset(processor, stackPointer), 1), 1);
    writeRegister<T>(processor, Ebp, static_cast<T>(frame));
    setStackPointer(processor, stackPointer);
}

template <class T> void executeLeave(Processor& processor, const Instruction&)
{
    const uint32_t frame = processor.gpr[Ebp];
    const T value = processor.read<T>(Ss, stackOffset(processor, frame));
    setStackPointer(processor, frame + static_cast<uint32_t>(sizeof(T)));
    writeRegister<T>(processor, Ebp, value);
}

} // namespace

void bindStack(HandlerTable& table)
{
    table.bind(Operation::Push, choosePush);
    bindByWidth<PopRm>(table, Operation::Pop);
    table.bind(Operation::Pusha, 2, executePusha<uint16_t>);
    table.bind(Operation::Pusha, 4, executePusha<uint32_t>);
    table.bind(Operation::Popa, 2, executePopa<uint16_t>);
    table.bind(Operation::Popa, 4, executePopa<uint32_t>);
    table.bind(Operation::Enter, 2, executeEnter<uint16_t>);
    table.bind(Operation::Enter, 4, executeEnter<uint32_t>);
    table.bind(Operation::Leave, 2, executeLeave<uint16_t>);
    table.bind(Operation::Leave, 4, executeLeave<uint32_t>);
}

} // namespace namsan
