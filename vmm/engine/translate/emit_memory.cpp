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
        a.move(to, instruction.displacement);
    } else if (hasBase && !hasIndex && displacement == 0) {
        a.move(to, guest(instruction.base));
    } else {
        Assembler::Place place { .scale = instruction.scale, .displacement = displacement };
        if (hasBase)
            place.base = hostOfGuest[instruction.base];
        if (hasIndex)
            place.index = hostOfGuest[instruction.index];
        a.loadAddress(to, place);
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
    if (m_asks)
        saveFlagsIfLive(live);
}

void UnitEmitter::emitSlowCall(const uint8_t* thunk, uint32_t site)
{
    flushX87Pointers();
    m_assembler.move(temporary, site);
    m_assembler.call(thunk);
    keepFloatingPoint();
}

// Afterwards the flags are where they were before the lookup, unless that has asked.
UnitEmitter::SlowWay UnitEmitter::emitLookup(const Step& step, MemoryAccess access, unsigned size, ColdPath& cold)
{
    const uint32_t lookup = here();
    m_memoryForm.emitLookup(m_assembler, access, size, cold.start);
    if (m_asks)
        m_state.flagsInHost = false;
    const uint32_t site = m_allFaultSites.numberOfNext(m_faultSites.size());
    m_faultSites.push_back({ lookup, here(), &cold, step.eip, static_cast<uint8_t>(indexOf(step)),
        static_cast<uint8_t>(size), access == MemoryAccess::Write });
    return { m_state.flagsInHost, site };
}

void UnitEmitter::emitReadLookup(const Step& step, unsigned size)
{
    ColdPath& cold = addColdPath();
    const SlowWay slow = emitLookup(step, MemoryAccess::Read, size, cold);
    m_assembler.bind(cold.back);
    cold.emit = [this, &cold, slow] {
        emitSlowCall(m_thunks.readSlowly[slow.keepsFlags], slow.site);
        m_assembler.jumpTo(cold.back);
    };
}

void UnitEmitter::emitWrite(const Step& step, unsigned size, bool alsoReads, const Emission& operation)
{
    ColdPath& cold = addColdPath();
    const SlowWay slow = emitLookup(step, MemoryAccess::Write, size, cold);
    operation();
    m_assembler.bind(cold.back);
    cold.emit = [this, &cold, alsoReads, operation, slow] {
        const Thunks::SlowAccess& thunk = alsoReads ? m_thunks.readForWriteSlowly : m_thunks.prepareWrite;
        emitSlowCall(thunk[slow.keepsFlags], slow.site);
        operation();
        m_assembler.call(m_thunks.commitWrite);
        keepFloatingPoint();
        m_assembler.jumpTo(cold.back);
    };
}

} // namespace namsan
