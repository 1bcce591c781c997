// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/unit_emitter.h"

#include "vmm/engine/translate/native_operations.h"

namespace namsan {

using namespace register_map;

// -- stack: flat segments with 32-bit stack pointers only ------------------------------------------------------------

void UnitEmitter::emitPushValue(const Step& step, const Emission& storeValue)
{
    Assembler& a = m_assembler;
    a.loadAddress(address, stackPlace(-4));
    emitWrite(step, 4, false, storeValue);
    a.move(guest(Esp), address);
}

void UnitEmitter::emitPush(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    saveFlagsBeforeLookup(step.liveIn);
    const Operand source = instruction.entry->operands[0];
    if (source == Operand::ImmV || source == Operand::Imm8Signed) {
        emitPushValue(step, [&a, &instruction] { a.store(Assembler::operandPlace(), instruction.immediate); });
    } else if (instruction.rmIsMemory) {
        emitAddress(instruction);
        emitReadLookup(step, 4);
        a.load(value, Assembler::operandPlace());
        emitPushValue(step, [&a] { a.store(Assembler::operandPlace(), value); });
    } else {
        emitPushValue(step, [&a, &instruction] { a.store(Assembler::operandPlace(), guest(instruction.rm)); });
    }
}

void UnitEmitter::emitPop(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    saveFlagsBeforeLookup(step.liveIn);
    a.move(address, guest(Esp));
    emitReadLookup(step, 4);
    if (!instruction.rmIsMemory) {
        a.load(guest(instruction.rm), Assembler::operandPlace());
        if (instruction.rm != Esp)
            a.loadAddress(guest(Esp), { .base = number(address), .displacement = 4 });
        return;
    }
    a.load(value, Assembler::operandPlace());
    emitAddress(instruction, 4);
    emitWrite(step, 4, false, [&a] { a.store(Assembler::operandPlace(), value); });
    a.loadAddress(guest(Esp), stackPlace(4));
}

void UnitEmitter::emitLeave(const Step& step)
{
    Assembler& a = m_assembler;
    saveFlagsBeforeLookup(step.liveIn);
    a.move(address, guest(Ebp));
    emitReadLookup(step, 4);
    a.load(guest(Ebp), Assembler::operandPlace());
    a.loadAddress(guest(Esp), { .base = number(address), .displacement = 4 });
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
        a.load(value, Assembler::operandPlace());
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
    if (indirect)
        emitTargetToValue(step);
    emitPushValue(step, [this, &a, returnAddress] {
        if (!servesAnyPage()) {
            a.store(Assembler::operandPlace(), returnAddress);
            return;
        }
        emitLinear(temporary, returnAddress);
        a.store(Assembler::operandPlace(), temporary);
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
    a.move(address, guest(Esp));
    emitReadLookup(step, 4);
    a.load(value, Assembler::operandPlace());
    a.loadAddress(
        guest(Esp), { .base = number(address), .displacement = static_cast<int32_t>(4 + step.instruction.immediate) });
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
