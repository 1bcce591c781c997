// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/instruction_writer.h"

#include <algorithm>

namespace namsan {

namespace {

constexpr uint32_t longStructure = 512; // FXSAVE's

bool has(const InstructionEntry& entry, std::initializer_list<Operand> some)
{
    return std::any_of(entry.operands.begin(), entry.operands.end(), [some](Operand operand) {
        return operand != Operand::None && std::find(some.begin(), some.end(), operand) != some.end();
    });
}

bool fitsByte(uint32_t displacement)
{
    return displacement + 128 < 256;
}

} // namespace

const std::vector<uint8_t>& InstructionWriter::write(
    const InstructionEntry& entry, const Registers& registers, uint32_t eip)
{
    const uint32_t room = has(entry, { Operand::Memory }) ? longStructure : 16;
    return writeAt(entry, registers, eip, m_surroundings.operandAddress(m_values, room));
}

const std::vector<uint8_t>& InstructionWriter::writeAt(
    const InstructionEntry& entry, const Registers& registers, uint32_t eip, uint32_t address)
{
    m_bytes.clear();
    const bool memory = entry.modRm == ModRm::Memory || (entry.modRm == ModRm::Any && m_values.oneIn(2));
    emitPrefixes(entry, memory, registers);
    if (entry.map == OpcodeMap::Extended0F)
        emit(0x0f);
    const bool inOpcode = has(entry, { Operand::OpcodeReg8, Operand::OpcodeRegV });
    emit(entry.opcode + (inOpcode ? m_values.below(8) : 0));
    if (entry.modRm != ModRm::Absent) {
        const uint32_t reg = entry.extension >= 0 ? static_cast<uint32_t>(entry.extension) : m_values.below(8);
        const uint32_t rm = entry.rmExtension >= 0 ? static_cast<uint32_t>(entry.rmExtension) : m_values.below(8);
        if (memory)
            emitMemory(reg, registers, address);
        else
            emit(0xc0 | reg << 3 | rm);
    }
    for (const Operand operand : entry.operands)
        if (operand == Operand::Offset8 || operand == Operand::OffsetV)
            emitValue(address - m_surroundings.segmentBase(Ds), 4);
        else
            emitImmediate(entry, operand, eip);
    return m_bytes;
}

void InstructionWriter::emitValue(uint32_t value, unsigned size)
{
    for (; size > 0; --size, value >>= 8)
        emit(value & 0xff);
}

void InstructionWriter::emitPrefixes(const InstructionEntry& entry, bool memory, const Registers& registers)
{
    const bool jumps = entry.attributes & attribute::endsBlock; // 16 bits of EIP lead nowhere
    m_operand16 = entry.prefix == MandatoryPrefix::Any && !jumps && m_values.oneIn(6);
    m_override.reset();
    if (memory && m_values.oneIn(16)) {
        constexpr std::array<uint8_t, 6> prefixes { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
        m_override = static_cast<SegmentIndex>(m_values.below(m_surroundings.usesOtherSegments() ? 6 : 4));
        emit(prefixes[*m_override]);
    }
    if (memory && (entry.attributes & attribute::lockable) && m_values.oneIn(6))
        emit(0xf0);
    if (m_operand16)
        emit(0x66);
    if ((entry.attributes & attribute::repeatable) && registers[Ecx] < 100 && m_values.oneIn(2))
        emit(m_values.oneIn(2) ? 0xf3 : 0xf2);
    if (entry.prefix == MandatoryPrefix::P66)
        emit(0x66);
    if (entry.prefix == MandatoryPrefix::PF3)
        emit(0xf3);
    if (entry.prefix == MandatoryPrefix::PF2)
        emit(0xf2);
}

// Base, index and scale at random, and the displacement that makes up for what they hold.
void InstructionWriter::emitMemory(unsigned reg, const Registers& registers, uint32_t address)
{
    const uint32_t base = m_values.below(8);
    const bool sib = base == Esp || m_values.oneIn(3);
    const bool absolute = !sib && m_values.oneIn(4);
    const SegmentIndex usual = !absolute && (base == Esp || base == Ebp) ? Ss : Ds;
    address -= m_surroundings.segmentBase(m_override.value_or(usual));
    if (!sib) {
        const uint32_t displacement = address - registers[base];
        const uint32_t mod = displacement == 0 && base != Ebp ? 0 : fitsByte(displacement) ? 1 : 2;
        if (absolute) {
            emit(reg << 3 | 5);
            return emitValue(address, 4);
        }
        emit(mod << 6 | reg << 3 | base);
        return emitDisplacement(mod, displacement);
    }
    const uint32_t index = m_values.below(8); // ESP means none
    const uint32_t scale = m_values.below(4);
    const uint32_t scaled = index == Esp ? 0 : registers[index] << scale;
    const bool noBase = base == Ebp && m_values.oneIn(2);
    const uint32_t displacement = address - scaled - (noBase ? 0 : registers[base]);
    const uint32_t mod = noBase                        ? 0
        : displacement == 0 && base != Ebp             ? 0
        : fitsByte(displacement) && !m_values.oneIn(8) ? 1
                                                       : 2;
    emit(mod << 6 | reg << 3 | 4);
    emit(scale << 6 | index << 3 | base);
    if (noBase)
        return emitValue(displacement, 4);
    emitDisplacement(mod, displacement);
}

void InstructionWriter::emitDisplacement(unsigned mod, uint32_t displacement)
{
    if (mod != 0)
        emitValue(displacement, mod == 1 ? 1 : 4);
}

void InstructionWriter::emitImmediate(const InstructionEntry& entry, Operand operand, uint32_t eip)
{
    constexpr uint32_t mostFreed = 200; // bytes of stack, by ENTER and RET
    switch (operand) {
    case Operand::Imm8:
    case Operand::Imm8Signed:
        return emitValue(m_values.oneIn(2) ? m_values.below(32) : m_values.integer32(), 1);
    case Operand::Imm16:
        return emitValue(m_values.below(mostFreed), 2);
    case Operand::ImmV: {
        const uint32_t value = m_values.oneIn(3) ? m_surroundings.operandAddress(m_values, 16) : m_values.integer32();
        return emitValue(value, m_operand16 ? 2 : 4);
    }
    case Operand::Rel8:
        return emitJump(entry, 1, eip);
    case Operand::RelV:
        return emitJump(entry, 4, eip);
    default:
        return;
    }
}

void InstructionWriter::emitJump(const InstructionEntry& entry, unsigned size, uint32_t eip)
{
    const uint32_t after = eip + static_cast<uint32_t>(m_bytes.size()) + size;
    const bool conditional = entry.operation == Operation::Jcc
        || (entry.operation >= Operation::Loop && entry.operation <= Operation::Jcxz);
    const bool backward = conditional && m_values.oneIn(5);
    const uint32_t target = m_surroundings.jumpTarget(m_values, after, size == 1 ? 127 : 400, backward);
    emitValue(target - after, size);
}

} // namespace namsan
