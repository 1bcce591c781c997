// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/unit_emitter.h"

#include "vmm/engine/translate/native_operations.h"

namespace namsan {

using namespace register_map;

// -- stack: flat segments with 32-bit stack pointers only ------------------------------------------------------------

void UnitEmitter::emitPushValue(const Step& step, const Emission& storeValue)
{
    constexpr uint32_t below = static_cast<uint32_t>(-4);
    Access access = stackAccess(AccessKind::Write, below);
    access.last = step.endsUnit;
    emitAccess(step, access, storeValue);
    m_assembler.loadAddress(guest(Esp), stackPlace(-4));
    m_bases.move(Esp, below);
}

void UnitEmitter::emitPush(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    saveFlagsBeforeLookup(step.liveIn);
    const Operand source = instruction.entry->operands[0];
    if (source == Operand::ImmV || source == Operand::Imm8Signed) {
        emitPushValue(step, [this, &a, &instruction] { a.store(m_operand, instruction.immediate); });
    } else if (instruction.rmIsMemory) {
        m_bases.drop(KeptBases::ofOthers); // where the value goes
        emitAccess(step, operandAccess(step, AccessKind::Read), [this, &a] { a.load(value, m_operand); });
        emitPushValue(step, [this, &a] { a.store(m_operand, value); });
    } else {
        emitPushValue(step, [this, &a, &instruction] { a.store(m_operand, guest(instruction.rm)); });
    }
}

void UnitEmitter::emitPop(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    saveFlagsBeforeLookup(step.liveIn);
    const Access top = stackAccess(AccessKind::Read, 0);
    if (instruction.rmIsMemory) {
        m_bases.drop(KeptBases::ofOthers); // where the value goes
        emitAccess(step, top, [this, &a] { a.load(value, m_operand); });
        Access target = operandAccess(step, AccessKind::Write);
        target.espMoved = 4;
        if (target.base == Esp)
            target.displacement += 4;
        emitAccess(step, target, [this, &a] { a.store(m_operand, value); });
    } else {
        emitAccess(step, top, [this, &a, &instruction] { a.load(guest(instruction.rm), m_operand); });
        if (instruction.rm == Esp)
            return;
    }
    a.loadAddress(guest(Esp), stackPlace(4));
    m_bases.move(Esp, 4);
}

void UnitEmitter::emitLeave(const Step& step)
{
    Assembler& a = m_assembler;
    saveFlagsBeforeLookup(step.liveIn);
    const Access top { .base = Ebp };
    emitAccess(step, top, [this, &a] {
        a.load(temporary, m_operand);
        a.loadAddress(guest(Esp), { .base = hostOfGuest[Ebp], .displacement = 4 });
        a.move(guest(Ebp), temporary);
    });
}

// -- transfers
// ---------------------------------------------------------------------------------------------------------

// Where an indirect jump or call goes, into r11d.
void UnitEmitter::emitTargetToValue(const Step& step)
{
    Assembler& a = m_assembler;
    if (step.instruction.rmIsMemory) {
        emitAccess(step, operandAccess(step, AccessKind::Read), [this, &a] { a.load(value, m_operand); });
    } else {
        a.move(value, guest(step.instruction.rm));
    }
}

void UnitEmitter::emitCall(const Step& step)
{
    Assembler& a = m_assembler;
    const bool indirect = step.instruction.entry->operation == Operation::CallIndirect;
    const uint32_t returnAddress = step.eip + step.instruction.length;
    saveFlagsIfLive(step.liveIn);
    if (indirect) {
        m_bases.drop(KeptBases::ofOthers);
        emitTargetToValue(step);
    }
    emitPushValue(step, [this, &a, returnAddress] {
        if (!servesAnyPage()) {
            a.store(m_operand, returnAddress);
            return;
        }
        emitLinear(temporary, returnAddress); // which is not in m_operand, because the unit ends here
        a.store(m_operand, temporary);
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
    Access top = stackAccess(AccessKind::Read, 0);
    top.last = true;
    emitAccess(step, top, [this, &a] { a.load(value, m_operand); });
    a.loadAddress(guest(Esp), stackPlace(static_cast<int32_t>(4 + step.instruction.immediate)));
    emitExitToValue(indexOf(step) + 1);
}

void UnitEmitter::emitConditionalJump(const Step& step)
{
    Assembler& a = m_assembler;
    const Operation operation = step.instruction.entry->operation;
    const uint32_t read = step.instruction.entry->flagsRead;
    loadFlagsIfLive(read);
    ColdPath& taken = addColdPath();
    // None of these changes flags, and none can fault.
    if (operation == Operation::Jcxz) {
        Xbyak::Label zero;
        Xbyak::Label notTaken;
        a.jecxz(zero);
        a.jmp(notTaken);
        a.L(zero);
        a.jumpTo(taken.start);
        a.L(notTaken);
    } else if (operation == Operation::Jcc) {
        a.jumpIf(step.instruction.opcode & 15u, taken.start);
    } else {
        Xbyak::Label notTaken;
        a.lea(a.ecx, a.ptr[a.rcx - 1]);
        a.jecxz(notTaken);
        if (operation == Operation::Loop)
            a.jumpTo(taken.start);
        else if (operation == Operation::Loope)
            a.jumpIf(Condition::Equal, taken.start);
        else
            a.jumpIf(Condition::NotEqual, taken.start);
        a.L(notTaken);
    }
    taken.emit = [this, &step] { emitExitTo(targetOf(step), step.eip, step.liveAtTarget, indexOf(step) + 1); };
}

// -- exits
// -------------------------------------------------------------------------------------------------------------

void UnitEmitter::countExecuted(unsigned executed)
{
    static_assert(offsetof(TranslatedFrame, instructions) == 0 && UnitCollector::mostInstructions < 128);
    m_assembler.put(0x00458349 | uint64_t { executed } << 32, 5); // add qword [r13], executed
}

void UnitEmitter::emitLinear(const Xbyak::Reg32& to, uint32_t address)
{
    Assembler& a = m_assembler;
    if (!servesAnyPage()) {
        a.move(to, address);
        return;
    }
    a.load(to, framePlace(offsetof(TranslatedFrame, linearPage)));
    if (address)
        a.loadAddress(to, { .base = static_cast<uint8_t>(to.getIdx()), .displacement = static_cast<int32_t>(address) });
}

void UnitEmitter::emitStoreLinear(int processorOffset, uint32_t address)
{
    Assembler& a = m_assembler;
    if (servesAnyPage()) {
        emitLinear(temporary, address);
        a.mov(a.dword[processor + processorOffset], temporary);
    } else {
        a.mov(a.dword[processor + processorOffset], address);
    }
}

// To the place in r8d.
void UnitEmitter::emitExitByTable()
{
    m_assembler.copy(m_snippets.compareWithTable);
    m_assembler.jumpIf(Condition::NotEqual, m_thunks.missing);
    m_assembler.copy(m_snippets.jumpByTable);
}

// To a known place. In the same page a jump that the dispatcher can point at the unit there: page and mode are those of
// this unit as long as it runs. In another page through the table, whose keys change with the mapping.
void UnitEmitter::emitExitTo(uint32_t target, uint32_t fromEip, uint32_t live, unsigned executed)
{
    Assembler& a = m_assembler;
    saveFlagsIfLive(live);
    flushX87Pointers();
    countExecuted(executed);
    const bool samePage = ((target ^ m_unit->linear) & 0xfffff000) == 0;
    if (!samePage) {
        emitLinear(address, target);
        if (servesAnyPage())
            emitExitByTable();
        else
            emitJumpThroughTable(a, m_thunks.missing, target);
        return;
    }
    const uint32_t kind = (target > fromEip ? link_kind::forward : 0) | (servesAnyPage() ? link_kind::fromAnyPage : 0);
    a.call(m_thunks.link[kind]); // until the dispatcher puts a jump in its place
    a.put(target, sizeof target);
}

// To the place in r11d.
void UnitEmitter::emitExitToValue(unsigned executed)
{
    flushX87Pointers();
    countExecuted(executed);
    m_assembler.move(address, value);
    emitExitByTable();
}

} // namespace namsan
