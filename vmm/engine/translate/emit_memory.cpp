// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/unit_emitter.h"

namespace namsan {

using namespace register_map;

// espMoved: what POP has added to ESP before the address is computed, where it uses ESP.
void UnitEmitter::emitOffset(const Instruction& instruction, const Xbyak::Reg32& to, uint32_t espMoved)
{
    Assembler& a = m_assembler;
    const bool hasBase = instruction.base != Instruction::noRegister;
    const bool hasIndex = instruction.index != Instruction::noRegister;
    const auto displacement = static_cast<int32_t>(instruction.displacement + (instruction.base == Esp ? espMoved : 0));
    if (!hasBase && !hasIndex) {
        a.mov(to, instruction.displacement);
    } else if (hasBase && !hasIndex && displacement == 0) {
        a.mov(to, guest(instruction.base));
    } else {
        Xbyak::RegExp expression(static_cast<size_t>(static_cast<int64_t>(displacement)));
        if (hasBase)
            expression = guest64(instruction.base) + expression;
        if (hasIndex)
            expression = guest64(instruction.index) * (1 << instruction.scale) + expression;
        a.lea(to, a.ptr[expression]);
    }
}

// The linear address into r8d; flags change only where the segment has a base.
void UnitEmitter::emitAddress(const Instruction& instruction, uint32_t espMoved)
{
    emitOffset(instruction, address, espMoved);
    if (instruction.segment == Fs || instruction.segment == Gs)
        m_assembler.add(address, m_assembler.inProcessor(m_offsets.segmentBase[instruction.segment]));
}

// Where the guest is, for whoever looks at a fault, and the size of the access.
void UnitEmitter::emitSlowCall(const Step& step, unsigned size, const uint8_t* thunk)
{
    Assembler& a = m_assembler;
    flushX87Pointers();
    a.mov(a.dword[processor + m_offsets.eip], step.eip);
    a.mov(a.dword[processor + m_offsets.nextEip], step.eip);
    a.mov(a.dword[frame + offsetof(TranslatedFrame, executedBefore)], indexOf(step));
    a.mov(temporary, size);
    a.call(thunk);
    keepFloatingPoint();
}

void UnitEmitter::emitReadLookup(const Step& step, unsigned size)
{
    ColdPath& cold = addColdPath();
    m_memoryForm.emitLookup(m_assembler, MemoryAccess::Read, size, cold.start);
    m_assembler.L(cold.back);
    m_state.flagsInHost = false;
    cold.emit = [this, &cold, &step, size] {
        emitSlowCall(step, size, m_thunks.readSlowly);
        m_assembler.jmp(cold.back, Assembler::T_NEAR);
    };
}

void UnitEmitter::emitWrite(const Step& step, unsigned size, bool alsoReads, const Emission& operation)
{
    ColdPath& cold = addColdPath();
    m_memoryForm.emitLookup(m_assembler, MemoryAccess::Write, size, cold.start);
    m_state.flagsInHost = false;
    operation();
    m_assembler.L(cold.back);
    cold.emit = [this, &cold, &step, size, alsoReads, operation] {
        emitSlowCall(step, size, alsoReads ? m_thunks.readForWriteSlowly : m_thunks.prepareWrite);
        operation();
        m_assembler.mov(temporary, size);
        m_assembler.call(m_thunks.commitWrite);
        keepFloatingPoint();
        m_assembler.jmp(cold.back, Assembler::T_NEAR);
    };
}

} // namespace namsan
