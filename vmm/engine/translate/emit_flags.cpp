// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/attention.h"
#include "vmm/engine/translate/unit_emitter.h"

// PUSHF, POPF, and what they have in otherFlags beside the arithmetic flags.
namespace namsan {

using namespace register_map;

// r11d is the image. VM and RF read as 0. Intel SDM volume 2, "PUSHF".
void UnitEmitter::emitPushFlags(const Step& step)
{
    Assembler& a = m_assembler;
    constexpr int overflowShift = 11;
    saveFlagsIfLive(step.liveIn);
    a.movzx(value, a.byte[processor + m_offsets.arithmeticFlags]);
    a.shl(value, overflowShift);
    a.movzx(temporary, a.byte[processor + (m_offsets.arithmeticFlags + 1)]);
    a.or_(value, temporary);
    a.mov(temporary, a.inProcessor(m_offsets.otherFlags));
    a.and_(temporary, ~(eflags::virtual8086 | eflags::resume));
    a.or_(value, temporary);
    m_state.flagsInHost = false;
    emitPushValue(step, [&a] { a.mov(a.operand(), value); });
}

// At level 0. Where anything changes but the arithmetic flags and IF, the interpreter's handler does it.
void UnitEmitter::emitPopFlags(const Step& step)
{
    Assembler& a = m_assembler;
    constexpr uint32_t kept = eflags::virtual8086 | eflags::resume | eflags::virtualInterrupt
        | eflags::virtualInterruptPending | eflags::arithmetic | 0xffc08028; // and bits that do not exist
    constexpr int overflowShift = 11;
    a.mov(address, guest(Esp));
    emitReadLookup(step, 4);
    a.mov(value, a.operand());
    m_state.flagsInHost = false;
    m_state.flagsInMemory = true; // from here on, where a handler is called as well

    ColdPath& cold = addColdPath();
    a.mov(temporary, a.inProcessor(m_offsets.otherFlags));
    a.xor_(temporary, value);
    a.test(temporary, ~(kept | eflags::interruptEnable | eflags::alwaysOne));
    a.jumpIf(Condition::NotEqual, cold.start);
    a.and_(temporary, eflags::interruptEnable);
    a.xor_(a.inProcessor(m_offsets.otherFlags), temporary);
    a.lea(guest(Esp), a.ptr[address64 + 4]);
    a.mov(temporary, value);
    a.shr(temporary, overflowShift);
    a.and_(temporary, 1);
    a.and_(value, eflags::arithmetic & 0xff);
    a.shl(value, 8);
    a.lea(temporary, a.ptr[temporary64 + value64 + (eflags::alwaysOne << 8)]);
    a.mov(a.word[processor + m_offsets.arithmeticFlags], a.r9w);
    emitLeaveIfAttention(step);
    a.bind(cold.back);
    cold.emit = [this, &cold, &step] {
        emitHandler(step, AfterHandler::GoBack);
        m_assembler.jumpTo(cold.back);
    };
}

// An interrupt may have been let in.
void UnitEmitter::emitLeaveIfAttention(const Step& step)
{
    Assembler& a = m_assembler;
    ColdPath& cold = addColdPath();
    a.mov(temporary, a.inProcessor(m_offsets.otherFlags)); // Attention::whatCounts
    a.and_(temporary, eflags::interruptEnable);
    a.shl(temporary, Attention::fromInterruptEnable);
    a.or_(temporary, Attention::polled);
    a.mov(value64, a.inFrame(offsetof(TranslatedFrame, attention)));
    a.test(a.dword[value64], temporary);
    a.jumpIf(Condition::NotEqual, cold.start);
    cold.emit = [this, &step] {
        Assembler& a = m_assembler;
        flushX87Pointers();
        countExecuted(indexOf(step) + 1);
        emitStoreLinear(m_offsets.nextEip, step.eip + step.instruction.length);
        a.mov(a.dword[frame + offsetof(TranslatedFrame, reason)], static_cast<uint32_t>(LeaveReason::Handler));
        a.jumpTo(m_thunks.leave);
    };
}

// Changes the host's flags.
void UnitEmitter::emitOtherFlag(uint32_t flag, bool set)
{
    Assembler& a = m_assembler;
    if (set)
        a.or_(a.dword[processor + m_offsets.otherFlags], flag);
    else
        a.and_(a.dword[processor + m_offsets.otherFlags], ~flag);
    m_state.flagsInHost = false;
}

} // namespace namsan
