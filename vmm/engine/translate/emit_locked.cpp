// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/native_operations.h"
#include "vmm/engine/translate/unit_emitter.h"

namespace namsan {

using namespace register_map;

// What is done otherwise where the processor is one of several.
bool UnitEmitter::emitForSeveral(const Step& step)
{
    if (isPause(step.instruction))
        emitPause(step);
    else if (isLocked(step.instruction))
        emitLocked(step);
    else
        return false;
    return true;
}

// The interpreter's handler does this one, and translated code goes on behind it: with the flags in the host, where
// those that come the other way have them.
void UnitEmitter::emitHandlerInstead(const Step& step, ColdPath& cold)
{
    cold.emit = [this, &cold, &step] {
        emitHandler(step, AfterHandler::GoBack);
        loadFlags();
        m_assembler.jumpTo(cold.back);
    };
}

// The host's own locked instruction. Where that cannot be, the handler knows what to do: there is no plain RAM, or code
// beside it, or the operand is not aligned. A host may take it ill to lock what crosses a cache line; for everybody
// else it must be as if no other processor were there. Intel SDM volume 3, 9.1.2.
void UnitEmitter::emitLocked(const Step& step)
{
    const Instruction& instruction = step.instruction;
    const FlagEffect& effect = step.effect;
    Assembler& a = m_assembler;
    const bool bitByRegister = instruction.entry->operands[1] != Operand::Imm8
        && instruction.entry->operation >= Operation::Bt && instruction.entry->operation <= Operation::Btc;
    const unsigned size = rmWidth(instruction);
    saveFlagsIfLive(step.liveIn);
    m_state.flagsInHost = false;
    ColdPath& unaligned = addColdPath();
    emitHandlerInstead(step, unaligned);
    emitAddress(instruction);
    if (bitByRegister) { // as in emitBitTest()
        a.mov(value, guest(instruction.reg));
        a.sar(value, 5);
        a.lea(address, a.ptr[address64 + value64 * 4]);
        a.mov(value, guest(instruction.reg));
        a.and_(value, 31);
    }
    if (size > 1) {
        a.test(address, size - 1);
        a.jumpIf(Condition::NotEqual, unaligned.start);
    }
    ColdPath& cold = addColdPath();
    const SlowWay slow = emitLookup(step, MemoryAccess::Write, size, cold);
    cold.emit = [this, &cold, &step, size, slow] {
        if (!m_asks)
            m_assembler.mov(m_assembler.inFrame(offsetof(TranslatedFrame, savedAddress)), address64);
        HandlerSite& site = emitHandler(step, AfterHandler::GoBack);
        if (!m_asks)
            site.write = { slow.site, size };
        loadFlags();
        m_assembler.jumpTo(cold.back);
    };
    if (step.liveIn)
        loadFlags();
    if (bitByRegister) {
        a.lock();
        a.encode(
            OpcodeMap::Extended0F, instruction.entry->opcode, 4, static_cast<uint8_t>(value.getIdx()), { true, 0 });
    } else {
        emitEncoded(instruction, instruction.entry->operation != Operation::Xchg); // which locks by itself
    }
    a.bind(unaligned.back);
    a.bind(cold.back);
    m_state.flagsInHost = true;
    noteFlagEffect(effect);
}

// The processor counts them, and gives its host CPU away where there have been many.
void UnitEmitter::emitPause(const Step& step)
{
    Assembler& a = m_assembler;
    saveFlagsIfLive(step.liveIn);
    m_state.flagsInHost = false;
    ColdPath& cold = addColdPath();
    cold.emit = [this, &cold, &step] {
        emitHandler(step, AfterHandler::GoBack);
        m_assembler.jumpTo(cold.back);
    };
    a.dec(a.dword[processor + m_offsets.pausesLeft]);
    a.jumpIf(Condition::Equal, cold.start);
    a.pause();
    a.bind(cold.back);
}

} // namespace namsan
