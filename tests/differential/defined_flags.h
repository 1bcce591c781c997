// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/decode/instruction.h"

namespace namsan {

// Keeps account of what a stream has left undefined so far, so that nothing is asked about it: of EFLAGS by the manual,
// of the x87's C1 by the compares that set EFLAGS, which clear it on Intel's processors and leave it alone on AMD's.
class DefinedFlags {
public:
    bool maySee(const Instruction& instruction) const
    {
        const Operation operation = instruction.entry->operation;
        if (m_x87C1IsOpen && (operation == Operation::Fnstsw || operation == Operation::FnstswAx))
            return false;
        return (flagsSeen(instruction) & m_undefined) == 0;
    }

    void ran(const Instruction& instruction)
    {
        const InstructionEntry& entry = *instruction.entry;
        // A count of 0 leaves all as it was.
        const bool maybeNothing = isShift(entry.operation)
            || ((instruction.rep || instruction.repne) && (entry.attributes & attribute::repeatable));
        if (!maybeNothing) {
            m_undefined &= ~entry.flagsWritten;
            m_ofOldCode &= ~entry.flagsWritten;
        }
        m_undefined |= entry.flagsUndefined;
        switch (entry.operation) {
        case Operation::Fcomi:
        case Operation::Fcomip:
        case Operation::Fucomi:
        case Operation::Fucomip:
            m_x87C1IsOpen = true;
            break;
        default:
            break;
        }
    }

    // The code was changed by the instruction that ran last: flags that would have been overwritten may be asked for
    // now.
    void codeChanged() { m_ofOldCode |= eflags::arithmetic; }
    // Flags that were set before the code was changed.
    uint32_t ofOldCode() const { return m_ofOldCode; }

    uint32_t undefined() const { return m_undefined; }
    bool x87C1IsOpen() const { return m_x87C1IsOpen; }

private:
    static bool isShift(Operation operation)
    {
        return (operation >= Operation::Rol && operation <= Operation::Sar) || operation == Operation::Shld
            || operation == Operation::Shrd;
    }
    // The table says of some that they read what they may leave alone, which is no question about it.
    static uint32_t flagsSeen(const Instruction& instruction)
    {
        const InstructionEntry& entry = *instruction.entry;
        if (entry.operation == Operation::Rcl || entry.operation == Operation::Rcr)
            return eflags::carry;
        if (isShift(entry.operation) || (entry.attributes & attribute::repeatable))
            return 0;
        return entry.flagsRead;
    }

    uint32_t m_undefined = 0;
    uint32_t m_ofOldCode = 0;
    bool m_x87C1IsOpen = false;
};

} // namespace namsan
