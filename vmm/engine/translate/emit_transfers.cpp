// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/unit_emitter.h"

#include "vmm/engine/translate/native_operations.h"

namespace namsan {

using namespace register_map;

// -- stack: flat segments with 32-bit stack pointers only ------------------------------------------------------------

void UnitEmitter::emitPushValue(const Step& step, const Emission& storeValue)
{
    Assembler& a = m_assembler;
    a.lea(address, a.ptr[guest64(Esp) - 4]);
    emitWrite(step, 4, false, storeValue);
    a.mov(guest(Esp), address);
}

void UnitEmitter::emitPush(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    saveFlagsBeforeLookup(step.liveIn);
    const Operand source = instruction.entry->operands[0];
    if (source == Operand::ImmV || source == Operand::Imm8Signed) {
        emitPushValue(step, [&a, &instruction] { a.mov(a.dword[host + address64], instruction.immediate); });
    } else if (instruction.rmIsMemory) {
        emitAddress(instruction);
        emitReadLookup(step, 4);
        a.mov(value, a.operand());
        emitPushValue(step, [&a] { a.mov(a.operand(), value); });
    } else {
        emitPushValue(step, [&a, &instruction] { a.mov(a.operand(), guest(instruction.rm)); });
    }
}

void UnitEmitter::emitPop(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    saveFlagsBeforeLookup(step.liveIn);
    a.mov(address, guest(Esp));
    emitReadLookup(step, 4);
    if (!instruction.rmIsMemory) {
        a.mov(guest(instruction.rm), a.operand());
        if (instruction.rm != Esp)
            a.lea(guest(Esp), a.ptr[address64 + 4]);
        return;
    }
    a.mov(value, a.operand());
    emitAddress(instruction, 4);
    emitWrite(step, 4, false, [&a] { a.mov(a.operand(), value); });
    a.lea(guest(Esp), a.ptr[guest64(Esp) + 4]);
}

void UnitEmitter::emitLeave(const Step& step)
{
    Assembler& a = m_assembler;
    saveFlagsBeforeLookup(step.liveIn);
    a.mov(address, guest(Ebp));
    emitReadLookup(step, 4);
    a.mov(guest(Ebp), a.operand());
    a.lea(guest(Esp), a.ptr[address64 + 4]);
}

// -- transfers
// ---------------------------------------------------------------------------------------------------------

// Where an indirect jump or call goes, into r11d.
void UnitEmitter::emitTargetToValue(const Step& step)
{
    Assembler& a = m_assembler;
    if (step.instruction.rmIsMemory) {
        emitAddress(step.instruction);
        emitReadLookup(step, 4);
        a.mov(value, a.operand());
    } else {
        a.mov(value, guest(step.instruction.rm));
    }
}

void UnitEmitter::emitCall(const Step& step)
{
    Assembler& a = m_assembler;
    const bool indirect = step.instruction.entry->operation == Operation::CallIndirect;
    const uint32_t returnAddress = step.eip + step.instruction.length;
    saveFlagsIfLive(step.liveIn);
    if (indirect)
        emitTargetToValue(step);
    const bool anyPage = m_unit.mode & unit_mode::anyPage;
    emitPushValue(step, [this, &a, returnAddress, anyPage] {
        if (anyPage)
            emitLinear(temporary, returnAddress);
        if (anyPage)
            a.mov(a.operand(), temporary);
        else
            a.mov(a.dword[host + address64], returnAddress);
    });
    if (indirect)
        emitExitToValue(indexOf(step) + 1);
    else
        emitExitTo(targetOf(step), step.eip, step.liveAtTarget, indexOf(step) + 1);
}

void UnitEmitter::emitJumpIndirect(const Step& step)
{
    saveFlagsIfLive(step.liveIn);
    emitTargetToValue(step);
    emitExitToValue(indexOf(step) + 1);
}

void UnitEmitter::emitReturn(const Step& step)
{
    Assembler& a = m_assembler;
    saveFlagsIfLive(step.liveIn);
    a.mov(address, guest(Esp));
    emitReadLookup(step, 4);
    a.mov(value, a.operand());
    a.lea(guest(Esp), a.ptr[address64 + (4 + step.instruction.immediate)]);
    emitExitToValue(indexOf(step) + 1);
}

void UnitEmitter::emitConditionalJump(const Step& step)
{
    Assembler& a = m_assembler;
    const Operation operation = step.instruction.entry->operation;
    const uint32_t read = step.instruction.entry->flagsRead;
    loadFlagsIfLive(read);
    ColdPath& taken = addColdPath();
    Xbyak::Label notTaken;
    // None of these changes flags, and none can fault.
    if (operation == Operation::Jcxz) {
        Xbyak::Label zero;
        a.jecxz(zero);
        a.jmp(notTaken);
        a.L(zero);
        a.jmp(taken.start, Assembler::T_NEAR);
    } else if (operation == Operation::Jcc) {
        using Jump = void (Xbyak::CodeGenerator::*)(const Xbyak::Label&, Xbyak::CodeGenerator::LabelType);
        using G = Xbyak::CodeGenerator;
        static constexpr std::array<Jump, 16> jumps { &G::jo, &G::jno, &G::jb, &G::jnb, &G::jz, &G::jnz, &G::jbe,
            &G::jnbe, &G::js, &G::jns, &G::jp, &G::jnp, &G::jl, &G::jnl, &G::jle, &G::jnle };
        (a.*jumps[step.instruction.opcode & 15])(taken.start, Assembler::T_NEAR);
    } else {
        a.lea(a.ecx, a.ptr[a.rcx - 1]);
        a.jecxz(notTaken);
        if (operation == Operation::Loop)
            a.jmp(taken.start, Assembler::T_NEAR);
        else if (operation == Operation::Loope)
            a.jz(taken.start, Assembler::T_NEAR);
        else
            a.jnz(taken.start, Assembler::T_NEAR);
    }
    a.L(notTaken);
    taken.emit = [this, &step] { emitExitTo(targetOf(step), step.eip, step.liveAtTarget, indexOf(step) + 1); };
}

// -- exits
// -------------------------------------------------------------------------------------------------------------

void UnitEmitter::countExecuted(unsigned executed)
{
    m_assembler.add(m_assembler.qword[frame + offsetof(TranslatedFrame, instructions)], executed);
}

void UnitEmitter::emitLinear(const Xbyak::Reg32& to, uint32_t address)
{
    Assembler& a = m_assembler;
    if (!(m_unit.mode & unit_mode::anyPage)) {
        a.mov(to, address);
        return;
    }
    a.mov(to, a.dword[frame + offsetof(TranslatedFrame, linearPage)]);
    if (address)
        a.lea(to, a.ptr[Xbyak::Reg64(to.getIdx()) + static_cast<int32_t>(address)]);
}

void UnitEmitter::emitStoreLinear(int processorOffset, uint32_t address)
{
    Assembler& a = m_assembler;
    if (m_unit.mode & unit_mode::anyPage) {
        emitLinear(temporary, address);
        a.mov(a.dword[processor + processorOffset], temporary);
    } else {
        a.mov(a.dword[processor + processorOffset], address);
    }
}

// To a known place. In the same page a jump that the dispatcher can point at the unit there: page and mode are those of
// this unit as long as it runs. In another page through the table, whose keys change with the mapping.
void UnitEmitter::emitExitTo(uint32_t target, uint32_t fromEip, uint32_t live, unsigned executed)
{
    Assembler& a = m_assembler;
    saveFlagsIfLive(live);
    flushX87Pointers();
    countExecuted(executed);
    const bool samePage = ((target ^ m_unit.linear) & 0xfffff000) == 0;
    if (!samePage) {
        emitLinear(address, target);
        const bool anyPage = m_unit.mode & unit_mode::anyPage;
        emitJumpThroughTable(a, m_thunks.leave, m_offsets.nextEip, anyPage ? std::nullopt : std::optional(target));
        return;
    }
    // The distance is that to the next instruction until the dispatcher writes another; bit 0 of the link tells whether
    // the jump goes forward, where no loop can be without a check elsewhere.
    a.db(0xe9);
    const auto link = static_cast<uint32_t>(a.getCurr() - m_region.writable());
    a.dd(0);
    emitStoreLinear(m_offsets.nextEip, target);
    a.mov(a.dword[frame + offsetof(TranslatedFrame, link)], link << 1 | (target > fromEip ? 1 : 0));
    a.mov(a.dword[frame + offsetof(TranslatedFrame, reason)], static_cast<uint32_t>(LeaveReason::Link));
    a.jmp(m_thunks.leave, Assembler::T_NEAR);
}

// To the place in r11d.
void UnitEmitter::emitExitToValue(unsigned executed)
{
    flushX87Pointers();
    countExecuted(executed);
    m_assembler.mov(address, value);
    emitJumpThroughTable(m_assembler, m_thunks.leave, m_offsets.nextEip);
}

} // namespace namsan
