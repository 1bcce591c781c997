// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/liveness.h"

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/translate/native_operations.h"

namespace namsan {

namespace {

bool isShiftOrRotation(Operation operation)
{
    return (operation >= Operation::Rol && operation <= Operation::Sar) || operation == Operation::Shld
        || operation == Operation::Shrd;
}

bool countIsKnownAndNotZero(const Instruction& instruction)
{
    const auto& operands = instruction.entry->operands;
    const bool immediate = operands[1] == Operand::Imm8 || operands[2] == Operand::Imm8;
    return operands[1] == Operand::One || (immediate && (instruction.immediate & 31) != 0);
}

} // namespace

FlagEffect flagEffectOf(const Instruction& instruction, bool native, bool ends)
{
    const InstructionEntry& entry = *instruction.entry;
    const uint32_t read = entry.flagsRead & eflags::arithmetic;
    const uint32_t written = entry.flagsWritten & eflags::arithmetic;
    const uint32_t undefined = entry.flagsUndefined & eflags::arithmetic;
    const bool changes = written || undefined;
    // An interrupt may come between two elements, and a count of 0 leaves all as it was.
    if ((entry.attributes & attribute::repeatable) && (instruction.rep || instruction.repne))
        return { eflags::arithmetic, 0, changes };
    if (!native) {
        // The interpreter changes some bits of the word in memory. What ends a unit may do anything with them.
        const bool looks = read || changes || ends;
        return { looks ? eflags::arithmetic : 0, 0, changes };
    }
    if (isShiftOrRotation(entry.operation)) {
        const bool throughCarry = entry.operation == Operation::Rcl || entry.operation == Operation::Rcr;
        // A count of 0 leaves everything as it was. (RCL by its width does as well.)
        if (!countIsKnownAndNotZero(instruction) || throughCarry)
            return { eflags::arithmetic, 0, true };
        return { 0, written | undefined, true };
    }
    return { read, written | undefined, changes };
}

} // namespace namsan
