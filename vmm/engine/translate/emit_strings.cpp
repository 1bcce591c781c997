// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/native_operations.h"
#include "vmm/engine/translate/unit_emitter.h"

#include <bit>

// MOVS, STOS, LODS, CMPS, SCAS upwards in flat segments. A repetition runs as the host's over what lies in one page of
// each side; what is beyond, downwards or not plain memory is the interpreter's handler's, which goes on from the
// registers as any processor does after an interrupt. Intel SDM volume 1, 7.3.9.
namespace namsan {

using namespace register_map;

namespace {

constexpr uint8_t repeat = 0xf3;
constexpr uint8_t repeatWhileNotEqual = 0xf2;
constexpr uint32_t pageMask = GuestMemory::pageSize - 1;

} // namespace

void UnitEmitter::emitString(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    saveFlagsIfLive(step.liveIn);
    m_state.flagsInHost = false;
    ColdPath& cold = addColdPath();
    constexpr uint8_t directionInItsByte = eflags::direction >> 8;
    a.test(a.byte[processor + (m_offsets.otherFlags + 1)], directionInItsByte);
    a.jumpIf(Condition::NotEqual, cold.start);
    const bool compares
        = instruction.entry->operation == Operation::Cmps || instruction.entry->operation == Operation::Scas;
    if (!instruction.rep && !instruction.repne)
        emitStringElement(step);
    else if (compares)
        emitRepeatedComparison(step, cold);
    else
        emitRepeatedMove(step, cold);
    a.bind(cold.back);
    cold.emit = [this, &cold, &step] {
        emitHandler(step, AfterHandler::GoBack);
        m_assembler.jumpTo(cold.back);
    };
}

// The instruction itself, on host addresses.
void UnitEmitter::emitStringEncoded(const Instruction& instruction)
{
    Assembler& a = m_assembler;
    if (stringElementSize(instruction) == 2)
        a.db(0x66);
    if (instruction.rep || instruction.repne)
        a.db(instruction.repne ? repeatWhileNotEqual : repeat);
    a.db(instruction.opcode);
}

void UnitEmitter::emitStringElement(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    const unsigned size = stringElementSize(instruction);
    const bool loads = instruction.entry->operation == Operation::Lods;
    const bool stores = instruction.entry->operation == Operation::Stos;
    const auto bits = static_cast<int>(8 * size);
    const Xbyak::Reg accumulator = Xbyak::Reg32(Eax).changeBit(bits);
    const Xbyak::Reg moved = value.changeBit(bits);
    if (!stores) {
        a.mov(address, guest(Esi));
        emitReadLookup(step, size);
        a.mov(loads ? accumulator : moved, a.operand());
    }
    if (!loads) {
        a.mov(address, guest(Edi));
        emitWrite(
            step, size, false, [&a, stores, accumulator, moved] { a.mov(a.operand(), stores ? accumulator : moved); });
        a.lea(guest(Edi), a.ptr[guest64(Edi) + size]);
    }
    if (!stores)
        a.lea(guest(Esi), a.ptr[guest64(Esi) + size]);
}

// MOVS and STOS: all of it, or none.
void UnitEmitter::emitRepeatedMove(const Step& step, ColdPath& cold)
{
    Assembler& a = m_assembler;
    const unsigned size = stringElementSize(step.instruction);
    const bool moves = step.instruction.entry->operation == Operation::Movs;
    a.test(a.ecx, a.ecx);
    a.jumpIf(Condition::Equal, cold.back);
    a.cmp(a.ecx, GuestMemory::pageSize / size);
    a.jumpIf(Condition::Above, cold.start);
    const auto leaveUnlessInPage = [&](Gpr reg) {
        a.lea(temporary, a.ptr[guest64(reg) + a.rcx * static_cast<int>(size) - 1]);
        a.xor_(temporary, guest(reg));
        a.test(temporary, ~pageMask);
        a.jumpIf(Condition::NotEqual, cold.start);
    };
    if (moves) {
        leaveUnlessInPage(Esi);
        a.mov(address, guest(Esi));
        emitSureLookup(MemoryAccess::Read, cold);
        a.mov(value64, host);
    }
    leaveUnlessInPage(Edi);
    a.mov(address, guest(Edi));
    emitSureLookup(MemoryAccess::Write, cold);
    if (moves)
        a.add(a.rsi, value64);
    a.add(a.rdi, host);
    emitStringEncoded(step.instruction);
    a.sub(a.edi, host32);
    if (moves)
        a.sub(a.esi, value);
}

// CMPS and SCAS: as far as the pages reach. What is left then is left to the handler.
void UnitEmitter::emitRepeatedComparison(const Step& step, ColdPath& cold)
{
    Assembler& a = m_assembler;
    const Instruction& instruction = step.instruction;
    const unsigned size = stringElementSize(instruction);
    const bool twoSides = instruction.entry->operation == Operation::Cmps;
    const auto sourceAddend = a.ptr[frame + offsetof(TranslatedFrame, savedAddress)];
    a.test(a.ecx, a.ecx);
    a.jumpIf(Condition::Equal, cold.back);
    if (twoSides) {
        a.mov(address, guest(Esi));
        emitSureLookup(MemoryAccess::Read, cold);
        a.mov(sourceAddend, host);
    }
    a.mov(address, guest(Edi));
    emitSureLookup(MemoryAccess::Read, cold);
    a.mov(value, a.ecx);
    const auto limitToPage = [&](Gpr reg) {
        a.mov(temporary, guest(reg));
        a.not_(temporary);
        a.and_(temporary, pageMask);
        a.add(temporary, 1);
        a.shr(temporary, std::bit_width(size) - 1);
        a.jumpIf(Condition::Equal, cold.start);
        a.cmp(value, temporary);
        a.cmova(value, temporary);
    };
    limitToPage(Edi);
    if (twoSides)
        limitToPage(Esi);
    a.sub(a.ecx, value);
    a.xchg(a.ecx, value); // so many now, the rest meanwhile in r11d
    if (twoSides)
        a.add(a.rsi, sourceAddend);
    a.add(a.rdi, host);
    emitStringEncoded(instruction);
    saveFlags();
    m_state.flagsInMemory = true;
    a.setz(a.r9b);
    a.sub(a.edi, host32);
    if (twoSides)
        a.sub(a.esi, a.dword[frame + offsetof(TranslatedFrame, savedAddress)]);
    a.add(a.ecx, value);
    a.jumpIf(Condition::Equal, cold.back); // nothing is left
    a.cmp(a.r9b, instruction.repne ? 1 : 0);
    a.jumpIf(Condition::NotEqual, cold.start);
}

// The place of the operand at r8d, with certainty.
void UnitEmitter::emitSureLookup(MemoryAccess access, ColdPath& cold)
{
    m_memoryForm.emitSureLookup(m_assembler, access, cold.start);
}

} // namespace namsan
