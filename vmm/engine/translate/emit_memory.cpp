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

// The linear address into r8d. Changes no flags.
void UnitEmitter::emitAddress(const Instruction& instruction, uint32_t espMoved)
{
    emitOffset(instruction, address, espMoved);
    if (instruction.segment != Fs && instruction.segment != Gs)
        return;
    m_assembler.mov(temporary, m_assembler.inProcessor(m_offsets.segmentBase[instruction.segment]));
    m_assembler.lea(address, m_assembler.ptr[address64 + temporary64]);
}

// What a lookup that asks does to the flags.
void UnitEmitter::saveFlagsBeforeLookup(uint32_t live)
{
    if (m_memoryForm.asks())
        saveFlagsIfLive(live);
}

// Where the guest is, for whoever looks at a fault, and the size of the access.
void UnitEmitter::emitSlowCall(const Step& step, unsigned size, const uint8_t* thunk, uint32_t site)
{
    Assembler& a = m_assembler;
    flushX87Pointers();
    emitStoreLinear(m_offsets.eip, step.eip);
    emitStoreLinear(m_offsets.nextEip, step.eip);
    a.mov(a.dword[frame + offsetof(TranslatedFrame, executedBefore)], indexOf(step));
    if (!m_memoryForm.asks())
        a.mov(a.dword[frame + offsetof(TranslatedFrame, site)], site);
    a.mov(temporary, size);
    a.call(thunk);
    keepFloatingPoint();
}

// Afterwards the flags are where they were before the lookup, unless that has asked.
UnitEmitter::SlowWay UnitEmitter::emitLookup(MemoryAccess access, unsigned size, ColdPath& cold)
{
    const auto here = [this] { return static_cast<uint32_t>(m_assembler.getCurr() - m_region.writable()); };
    const uint32_t lookup = here();
    m_memoryForm.emitLookup(m_assembler, access, size, cold.start);
    if (m_memoryForm.asks()) {
        m_state.flagsInHost = false;
        return {};
    }
    const uint32_t site = m_allFaultSites.numberOfNext(m_faultSites.size());
    m_faultSites.push_back({ lookup, here(), &cold, static_cast<uint8_t>(size), access == MemoryAccess::Write });
    return { m_state.flagsInHost, site };
}

void UnitEmitter::emitReadLookup(const Step& step, unsigned size)
{
    ColdPath& cold = addColdPath();
    const SlowWay slow = emitLookup(MemoryAccess::Read, size, cold);
    m_assembler.L(cold.back);
    cold.emit = [this, &cold, &step, size, slow] {
        emitSlowCall(step, size, m_thunks.readSlowly[slow.keepsFlags], slow.site);
        m_assembler.jmp(cold.back, Assembler::T_NEAR);
    };
}

void UnitEmitter::emitWrite(const Step& step, unsigned size, bool alsoReads, const Emission& operation)
{
    ColdPath& cold = addColdPath();
    const SlowWay slow = emitLookup(MemoryAccess::Write, size, cold);
    operation();
    m_assembler.L(cold.back);
    cold.emit = [this, &cold, &step, size, alsoReads, operation, slow] {
        const Thunks::SlowAccess& thunk = alsoReads ? m_thunks.readForWriteSlowly : m_thunks.prepareWrite;
        emitSlowCall(step, size, thunk[slow.keepsFlags], slow.site);
        operation();
        m_assembler.mov(temporary, size);
        m_assembler.call(m_thunks.commitWrite);
        keepFloatingPoint();
        m_assembler.jmp(cold.back, Assembler::T_NEAR);
    };
}

} // namespace namsan
