// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/general_handlers.h"
#include "vmm/engine/interpret/stack_operations.h"

#include <utility>

namespace namsan {

namespace {

// Sets where to go on; a target beyond the code segment faults with EIP still at the jump. Intel SDM volume 2, "JMP".
inline void jumpTo(Processor& processor, uint32_t target)
{
    if (target > processor.segments[Cs].state.limit) [[unlikely]]
        throwGeneralProtection();
    processor.nextEip = target;
}

// T is the operand size: 16-bit jumps clear the upper half of EIP.
template <class T> inline uint32_t relativeTarget(const Processor& processor, const Instruction& instruction)
{
    return static_cast<T>(processor.nextEip + instruction.immediate);
}

template <unsigned condition> struct ConditionalJump {
    template <class T> static void execute(Processor& processor, const Instruction& instruction)
    {
        if (host_flags::holds<condition>(processor.arithmeticFlags))
            jumpTo(processor, relativeTarget<T>(processor, instruction));
    }
    static Handler choose(unsigned width) { return width == 2 ? execute<uint16_t> : execute<uint32_t>; }
};

template <size_t... conditions>
Handler chooseJump(unsigned condition, unsigned width, std::index_sequence<conditions...>)
{
    using Choose = Handler (*)(unsigned);
    static constexpr Choose byCondition[] = { ConditionalJump<conditions>::choose... };
    return byCondition[condition](width);
}

Handler chooseConditionalJump(const InstructionEntry& entry, unsigned width, RmForm)
{
    return chooseJump(entry.opcode & 15, width, std::make_index_sequence<16>());
}

template <class T> void executeJmpRelative(Processor& processor, const Instruction& instruction)
{
    jumpTo(processor, relativeTarget<T>(processor, instruction));
}

template <class T, RmForm form> struct JmpIndirect {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        jumpTo(processor, readRm<T, form>(processor, instruction));
    }
};

// The target is checked first, then pushed; a fault of the push leaves EIP at the call.
template <class T> inline void callTo(Processor& processor, uint32_t target)
{
    if (target > processor.segments[Cs].state.limit) [[unlikely]]
        throwGeneralProtection();
    push<T>(processor, static_cast<T>(processor.nextEip));
    processor.nextEip = target;
}

template <class T> void executeCallRelative(Processor& processor, const Instruction& instruction)
{
    callTo<T>(processor, relativeTarget<T>(processor, instruction));
}

template <class T, RmForm form> struct CallIndirect {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        callTo<T>(processor, readRm<T, form>(processor, instruction));
    }
};

template <class T> void executeRetNear(Processor& processor, const Instruction& instruction)
{
    jumpTo(processor, peek<T>(processor));
    setStackPointer(processor, processor.gpr[Esp] + static_cast<uint32_t>(sizeof(T)) + instruction.immediate);
}

// The address size chooses between CX and ECX. Intel SDM volume 2, "LOOP/LOOPcc".
uint32_t counterOf(const Processor& processor, const Instruction& instruction)
{
    return processor.gpr[Ecx] & instruction.addressMask;
}

enum class LoopCondition { Always, Zero, NotZero };

template <LoopCondition condition> struct LoopFamily {
    template <class T, RmForm> struct Of {
        static void execute(Processor& processor, const Instruction& instruction)
        {
            const uint32_t count = (counterOf(processor, instruction) - 1) & instruction.addressMask;
            const bool zero = processor.arithmeticFlags & host_flags::zero;
            const bool goesOn = condition == LoopCondition::Always || zero == (condition == LoopCondition::Zero);
            if (count != 0 && goesOn)
                jumpTo(processor, relativeTarget<T>(processor, instruction));
            processor.gpr[Ecx] = (processor.gpr[Ecx] & ~instruction.addressMask) | count;
        }
    };
};

template <class T, RmForm> struct Jcxz {
    static void execute(Processor& processor, const Instruction& instruction)
    {
        if (counterOf(processor, instruction) == 0)
            jumpTo(processor, relativeTarget<T>(processor, instruction));
    }
};

} // namespace

void bindNearTransfers(HandlerTable& table)
{
    table.bind(Operation::Jcc, chooseConditionalJump);
    table.bind(Operation::JmpRelative, 2, executeJmpRelative<uint16_t>);
    table.bind(Operation::JmpRelative, 4, executeJmpRelative<uint32_t>);
    bindByWidth<JmpIndirect>(table, Operation::JmpIndirect);
    table.bind(Operation::CallRelative, 2, executeCallRelative<uint16_t>);
    table.bind(Operation::CallRelative, 4, executeCallRelative<uint32_t>);
    bindByWidth<CallIndirect>(table, Operation::CallIndirect);
    table.bind(Operation::RetNear, 2, executeRetNear<uint16_t>);
    table.bind(Operation::RetNear, 4, executeRetNear<uint32_t>);
    bindByWidth<LoopFamily<LoopCondition::Always>::Of>(table, Operation::Loop);
    bindByWidth<LoopFamily<LoopCondition::Zero>::Of>(table, Operation::Loope);
    bindByWidth<LoopFamily<LoopCondition::NotZero>::Of>(table, Operation::Loopne);
    bindByWidth<Jcxz>(table, Operation::Jcxz);
}

} // namespace namsan
