// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/floating_point_operations.h"
#include "vmm/engine/translate/native_operations.h"
#include "vmm/engine/translate/unit_emitter.h"

#include "vmm/engine/interpret/fxsave_image.h"

#include <utility>

namespace namsan {

using namespace register_map;

namespace {

bool namesGeneralRegister(Operand operand)
{
    return operand == Operand::Rm16 || operand == Operand::Rm32 || operand == Operand::Reg32;
}

bool hasImmediate(const Instruction& instruction)
{
    return instruction.entry->operands[2] == Operand::Imm8 || instruction.entry->operands[1] == Operand::Imm8;
}

uint8_t mandatoryPrefixOf(const InstructionEntry& entry)
{
    switch (entry.prefix) {
    case MandatoryPrefix::P66:
        return 0x66;
    case MandatoryPrefix::PF3:
        return 0xf3;
    case MandatoryPrefix::PF2:
        return 0xf2;
    default:
        return 0;
    }
}

// Stores past the caches are done as ordinary ones: what other threads of the VMM see stays in order.
uint8_t opcodeWithCaches(const InstructionEntry& entry)
{
    switch (entry.opcode) {
    case 0x2b:
        return 0x29;
    case 0xe7:
        return 0x7f;
    default:
        return entry.opcode;
    }
}

} // namespace

// The guest's registers are brought into the host's unit when the first instruction in a unit asks for them, and stay
// there until something written in C++ runs.
void UnitEmitter::requireFloatingPoint(const Step& step)
{
    if (m_state.floatingPointInHost)
        return;
    Assembler& a = m_assembler;
    saveFlagsIfLive(step.liveIn);
    m_state.flagsInHost = false;
    ColdPath& cold = addColdPath();
    a.cmp(a.byte[frame + offsetof(TranslatedFrame, floatingPointInHost)], 0);
    a.jumpIf(Condition::Equal, cold.start);
    a.bind(cold.back);
    m_state.floatingPointInHost = true;
    cold.emit = [this, &cold] {
        m_assembler.call(m_thunks.lendFloatingPoint);
        m_assembler.jumpTo(cold.back);
    };
}

// After something that may have brought the registers back to Processor.
void UnitEmitter::keepFloatingPoint()
{
    if (m_state.floatingPointInHost)
        m_assembler.call(m_thunks.lendFloatingPoint);
}

// Of a run of x87 instructions only the last one's pointers are ever seen.
void UnitEmitter::flushX87Pointers()
{
    Assembler& a = m_assembler;
    const auto image = [this](size_t member) { return m_offsets.fxsave + static_cast<int>(member); };
    if (const Step* step = std::exchange(m_state.lastX87, nullptr)) {
        const Instruction& instruction = step->instruction;
        const int opcode = (instruction.opcode & 7) << 8 | instruction.modRm;
        a.mov(temporary, opcode);
        a.mov(a.word[processor + image(offsetof(FxsaveImage, opcode))], a.r9w);
        emitStoreLinear(image(offsetof(FxsaveImage, instructionOffset)), step->eip);
        a.movzx(temporary, a.word[processor + m_offsets.segmentSelector[Cs]]);
        a.mov(a.word[processor + image(offsetof(FxsaveImage, codeSegment))], a.r9w);
    }
    if (const Step* step = std::exchange(m_state.lastX87Operand, nullptr)) {
        a.movzx(temporary, a.word[processor + m_offsets.segmentSelector[step->instruction.segment]]);
        a.mov(a.word[processor + image(offsetof(FxsaveImage, dataSegment))], a.r9w);
    }
}

// The operand's offset is known only while it runs: it is kept at once, after whatever can fault.
void UnitEmitter::emitX87OperandPointer(const Step& step)
{
    Assembler& a = m_assembler;
    const auto place = a.dword[processor + (m_offsets.fxsave + static_cast<int>(offsetof(FxsaveImage, dataOffset)))];
    const uint8_t segment = step.instruction.segment;
    if (segment == Fs || segment == Gs) {
        a.mov(temporary, address);
        a.sub(temporary, a.inProcessor(m_offsets.segmentBase[segment]));
        a.mov(place, temporary);
    } else {
        a.mov(place, address);
    }
}

// That has taken a subtraction where the segment has a base.
void UnitEmitter::noteX87OperandPointer(const Step& step, bool emitted)
{
    if (emitted && (step.instruction.segment == Fs || step.instruction.segment == Gs))
        m_state.flagsInHost = false;
}

void UnitEmitter::emitFloatingPointEncoded(const Instruction& instruction)
{
    Assembler& a = m_assembler;
    const InstructionEntry& entry = *instruction.entry;
    if (entry.map == OpcodeMap::Primary) { // x87: no operand in a general register but AX
        if (instruction.rmIsMemory) {
            a.encodeAt(entry.map, entry.opcode, 4, static_cast<uint8_t>(entry.extension & 7), m_operand);
            return;
        }
        a.db(entry.opcode);
        a.db(instruction.modRm);
        return;
    }
    if (const uint8_t prefix = mandatoryPrefixOf(entry))
        a.db(prefix);
    if (entry.modRm == ModRm::Absent) {
        a.db(0x0f);
        a.db(entry.opcode);
        return;
    }
    uint8_t reg = entry.extension >= 0 ? static_cast<uint8_t>(entry.extension) : instruction.reg;
    HostRm rm { instruction.rmIsMemory, instruction.rm };
    for (const Operand operand : entry.operands) {
        if (operand == Operand::Reg32)
            reg = hostOfGuest[instruction.reg];
        else if (namesGeneralRegister(operand) && !rm.memory)
            rm.number = hostOfGuest[instruction.rm];
    }
    if (rm.memory)
        a.encodeAt(OpcodeMap::Extended0F, opcodeWithCaches(entry), 4, reg, m_operand);
    else
        a.encode(OpcodeMap::Extended0F, opcodeWithCaches(entry), 4, reg, rm);
    if (hasImmediate(instruction))
        a.immediate(1, instruction.immediate);
}

void UnitEmitter::emitAlignmentCheck(const Step& step)
{
    Assembler& a = m_assembler;
    constexpr uint32_t misaligned = 15;
    ColdPath& cold = addColdPath();
    a.test(address, misaligned);
    a.jumpIf(Condition::NotEqual, cold.start);
    m_state.flagsInHost = false;
    cold.emit = [this, &step] { emitHandler(step, AfterHandler::Leave); }; // which faults
}

// FLDCW and LDMXCSR: a value that leaves an exception unmasked, or has bits that do not exist, ends the mode in which
// this unit runs, or faults.
void UnitEmitter::emitLoadOfControlWord(const Step& step)
{
    Assembler& a = m_assembler;
    const bool x87 = step.instruction.entry->operation == Operation::Fldcw;
    emitAddress(step.instruction);
    emitReadLookup(step, x87 ? 2 : 4);
    m_state.flagsInHost = false; // from here on
    ColdPath& cold = addColdPath();
    if (x87) {
        a.movzx(value, a.word[host + address64]);
        a.and_(value, x87_status::exceptions);
        a.cmp(value, x87_status::exceptions);
    } else {
        a.mov(value, a.operand());
        a.and_(value, ~mxcsr::writable | mxcsr::masks);
        a.cmp(value, mxcsr::masks);
    }
    a.jumpIf(Condition::NotEqual, cold.start);
    emitFloatingPointEncoded(step.instruction);
    cold.emit = [this, &step] { emitHandler(step, AfterHandler::Leave); };
}

void UnitEmitter::emitFloatingPoint(const Step& step)
{
    const Instruction& instruction = step.instruction;
    const Operation operation = instruction.entry->operation;
    if (operation == Operation::Wait)
        return; // nothing is pending in this mode
    if (operation
        == Operation::Fence) { // one vCPU sees its own accesses in order; those who talk to devices use MFENCE
        if (instruction.reg == 6)
            m_assembler.mfence();
        return;
    }
    requireFloatingPoint(step);
    const FlagEffect effect = step.effect;
    const bool pointers = setsX87Pointers(instruction);
    if (!instruction.rmIsMemory) {
        if (effect.read)
            loadFlagsIfLive(step.liveIn);
        emitFloatingPointEncoded(instruction);
        noteFlagEffect(effect);
    } else if (operation == Operation::Fldcw || operation == Operation::Ldmxcsr) {
        saveFlagsIfLive(step.liveIn);
        emitLoadOfControlWord(step);
    } else {
        emitFloatingPointWithMemory(step, pointers, effect);
    }
    if (!pointers)
        return;
    m_state.lastX87 = &step;
    if (instruction.rmIsMemory)
        m_state.lastX87Operand = &step;
}

void UnitEmitter::emitFloatingPointWithMemory(const Step& step, bool pointers, const FlagEffect& effect)
{
    const Instruction& instruction = step.instruction;
    saveFlagsIfLive(step.liveIn);
    const unsigned size = rmWidth(instruction);
    const bool mustBeAligned = instruction.entry->attributes & attribute::aligned16 && size == 16;
    Access access = operandAccess(step, writesRm(instruction) ? AccessKind::Write : AccessKind::Read);
    access.size = size;
    access.addressIsThere = pointers || mustBeAligned;
    if (access.addressIsThere)
        emitAddress(instruction);
    if (mustBeAligned)
        emitAlignmentCheck(step);
    emitAccess(step, access, [this, &step, &instruction, pointers] {
        emitFloatingPointEncoded(instruction); // which may fault on the host, so it comes first
        if (pointers)
            emitX87OperandPointer(step);
    });
    noteX87OperandPointer(step, pointers);
    if (access.kind == AccessKind::Write)
        return;
    noteFlagEffect(effect); // COMISS and its like
}

} // namespace namsan
