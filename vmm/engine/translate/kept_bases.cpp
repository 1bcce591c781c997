// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/kept_bases.h"

#include "vmm/engine/translate/floating_point_operations.h"
#include "vmm/engine/translate/native_operations.h"

#include <algorithm>
#include <bit>

namespace namsan {

std::optional<KeptBases::Kept> KeptBases::find(uint8_t base, uint32_t displacement, bool writes) const
{
    if (base >= m_distances.size())
        return {};
    for (uint8_t place = 0; place < places; ++place) {
        if (!(m_basesOf[place] & 1u << base))
            continue;
        const int64_t distance = int64_t { m_distances[base] } + static_cast<int32_t>(displacement);
        if (!isNear(distance) || (writes && !m_places[place].writes))
            return {};
        return Kept { place, static_cast<int32_t>(distance) };
    }
    return {};
}

void KeptBases::keep(unsigned place, uint8_t base, uint32_t displacement, bool writes, unsigned usesAhead)
{
    lose(base);
    m_basesOf[place] = static_cast<uint8_t>(1u << base);
    m_places[place] = { writes, static_cast<uint8_t>(usesAhead) };
    m_distances[base] = static_cast<int16_t>(-static_cast<int32_t>(displacement));
}

void KeptBases::copy(uint8_t to, uint8_t from, uint32_t by)
{
    for (uint8_t& bases : m_basesOf) {
        const bool isBase = bases & 1u << from;
        bases &= static_cast<uint8_t>(~(1u << to));
        const int64_t distance = int64_t { m_distances[from] } + static_cast<int32_t>(by);
        if (!isBase || !isNear(distance))
            continue;
        bases |= static_cast<uint8_t>(1u << to);
        m_distances[to] = static_cast<int16_t>(distance);
    }
}

std::optional<KeptBases::Origin> KeptBases::originOf(unsigned place) const
{
    if (!m_basesOf[place])
        return {};
    const auto reg = static_cast<uint8_t>(std::countr_zero(m_basesOf[place]));
    return Origin { reg, -m_distances[reg], m_places[place].writes };
}

namespace {

constexpr uint8_t bit(unsigned reg)
{
    return static_cast<uint8_t>(1u << (reg & 7));
}

bool isSelector(uint8_t segment)
{
    return segment == Fs || segment == Gs;
}

enum class Doing : uint8_t {
    Unknown,
    Nothing, // to registers
    Destination, // its first operand
    Accumulator,
    AccumulatorAndData, // EAX and EDX
    Count, // ECX
    Stack, // the emitter follows ESP, and what else there is, itself
};

Doing doingOf(Operation operation)
{
    switch (operation) {
    case Operation::Add:
    case Operation::Or:
    case Operation::Adc:
    case Operation::Sbb:
    case Operation::And:
    case Operation::Sub:
    case Operation::Xor:
    case Operation::Inc:
    case Operation::Dec:
    case Operation::Neg:
    case Operation::Not:
    case Operation::ImulTruncating:
    case Operation::Rol:
    case Operation::Ror:
    case Operation::Rcl:
    case Operation::Rcr:
    case Operation::Shl:
    case Operation::Shr:
    case Operation::Sar:
    case Operation::Shld:
    case Operation::Shrd:
    case Operation::Mov:
    case Operation::MovzxByte:
    case Operation::MovzxWord:
    case Operation::MovsxByte:
    case Operation::MovsxWord:
    case Operation::Movnti:
    case Operation::Lea:
    case Operation::Bswap:
    case Operation::Bsf:
    case Operation::Bsr:
    case Operation::Setcc:
    case Operation::Cmovcc:
        return Doing::Destination;
    case Operation::Cmp:
    case Operation::Test:
    case Operation::Jcc:
    case Operation::Jcxz:
    case Operation::JmpRelative:
    case Operation::Sahf:
    case Operation::Clc:
    case Operation::Stc:
    case Operation::Cmc:
    case Operation::Nop:
        return Doing::Nothing;
    case Operation::Mul:
    case Operation::Imul:
        return Doing::AccumulatorAndData;
    case Operation::SignExtendIntoDx:
        return Doing::AccumulatorAndData;
    case Operation::SignExtendAccumulator:
    case Operation::Lahf:
        return Doing::Accumulator;
    case Operation::Loop:
    case Operation::Loope:
    case Operation::Loopne:
        return Doing::Count;
    case Operation::Push:
    case Operation::Pop:
    case Operation::CallRelative:
    case Operation::CallIndirect:
    case Operation::RetNear:
    case Operation::Leave:
        return Doing::Stack;
    default:
        return Doing::Unknown;
    }
}

// The register that the first operand is, as a bit; every one that it might be where the encoding leaves it open.
uint8_t destinationOf(const Instruction& instruction)
{
    const auto ofByte = [](uint8_t reg) { return bit(reg & 3); };
    switch (instruction.entry->operands[0]) {
    case Operand::Rm8:
        return instruction.rmIsMemory ? uint8_t { 0 } : ofByte(instruction.rm);
    case Operand::Rm16:
    case Operand::Rm32:
    case Operand::RmV:
        return instruction.rmIsMemory ? uint8_t { 0 } : bit(instruction.rm);
    case Operand::Reg8:
        return ofByte(instruction.reg);
    case Operand::Reg16:
    case Operand::Reg32:
    case Operand::RegV:
        return bit(instruction.reg);
    case Operand::OpcodeReg8:
        return static_cast<uint8_t>(ofByte(instruction.reg) | ofByte(instruction.rm));
    case Operand::OpcodeRegV:
        return static_cast<uint8_t>(bit(instruction.reg) | bit(instruction.rm));
    case Operand::Offset8:
    case Operand::OffsetV:
    case Operand::Mem8:
    case Operand::Mem16:
    case Operand::Mem32:
    case Operand::Mem64:
        return 0;
    case Operand::Al:
    case Operand::Ax:
    case Operand::AccumulatorV:
        return bit(Eax);
    default:
        return 0xff;
    }
}

// AH to BH change places with AL to BL where there is an operand in memory: see UnitEmitter::emitEncoded().
bool changesHalves(const Instruction& instruction)
{
    return instruction.rmIsMemory && instruction.reg >= 4
        && std::ranges::find(instruction.entry->operands, Operand::Reg8) != instruction.entry->operands.end();
}

uint8_t changedBy(const Instruction& instruction, Doing doing)
{
    switch (doing) {
    case Doing::Destination:
        return destinationOf(instruction);
    case Doing::Accumulator:
        return bit(Eax);
    case Doing::AccumulatorAndData:
        return bit(Eax) | bit(Edx);
    case Doing::Count:
        return bit(Ecx);
    case Doing::Stack:
        return instruction.entry->operation == Operation::Leave                         ? bit(Ebp)
            : instruction.entry->operation == Operation::Pop && !instruction.rmIsMemory ? bit(instruction.rm)
                                                                                        : uint8_t { 0 };
    case Doing::Nothing:
    case Doing::Unknown:
        break;
    }
    return 0;
}

// Moves and copies of whole registers that leave the distance to what is kept known.
struct Following {
    enum class Kind : uint8_t { None, Move, Copy } kind = Kind::None;
    uint8_t to = 0;
    uint8_t from = 0;
    uint32_t by = 0;
};

Following followingOf(const Instruction& instruction)
{
    if (instruction.operandSize != 4)
        return {};
    using enum Following::Kind;
    const auto& operands = instruction.entry->operands;
    switch (instruction.entry->operation) {
    case Operation::Add:
    case Operation::Sub: {
        const bool immediate = operands[1] == Operand::Imm8Signed || operands[1] == Operand::ImmV;
        if (operands[0] != Operand::RmV || instruction.rmIsMemory || !immediate)
            return {};
        const bool add = instruction.entry->operation == Operation::Add;
        return { Move, instruction.rm, instruction.rm, add ? instruction.immediate : -instruction.immediate };
    }
    case Operation::Inc:
    case Operation::Dec:
        if (instruction.rmIsMemory || (operands[0] != Operand::RmV && operands[0] != Operand::OpcodeRegV))
            return {};
        return { Move, instruction.rm, instruction.rm, instruction.entry->operation == Operation::Inc ? 1u : ~0u };
    case Operation::Mov:
        if (instruction.rmIsMemory || instruction.entry->modRm == ModRm::Absent)
            return {};
        if (operands[0] == Operand::RmV && operands[1] == Operand::RegV)
            return { Copy, instruction.rm, instruction.reg, 0 };
        if (operands[0] == Operand::RegV && operands[1] == Operand::RmV)
            return { Copy, instruction.reg, instruction.rm, 0 };
        return {};
    case Operation::Lea:
        if (instruction.base == Instruction::noRegister || instruction.index != Instruction::noRegister
            || instruction.address16)
            return {};
        return { Copy, instruction.reg, instruction.base, instruction.displacement };
    case Operation::Leave:
        return { Copy, Esp, Ebp, 4 };
    default:
        return {};
    }
}

uint8_t changedByFloatingPoint(const Instruction& instruction)
{
    if (instruction.entry->map == OpcodeMap::Primary) // x87, of which only FNSTSW AX has such an operand
        return instruction.rmIsMemory ? uint8_t { 0 } : bit(Eax);
    return static_cast<uint8_t>(bit(instruction.reg) | (instruction.rmIsMemory ? 0u : bit(instruction.rm)));
}

BaseUse useOf(const GuestUnit::Step& step, bool oneOfSeveral)
{
    const Instruction& instruction = step.instruction;
    BaseUse use;
    const bool floatingPoint = isFloatingPoint(instruction);
    const Doing doing = doingOf(instruction.entry->operation);
    if (!step.native || (oneOfSeveral && (isLocked(instruction) || isPause(instruction))))
        return use;
    if (floatingPoint) {
        const Operation operation = instruction.entry->operation;
        use.keeps = operation != Operation::Fldcw && operation != Operation::Ldmxcsr;
        use.changed = changedByFloatingPoint(instruction);
    } else {
        use.keeps = doing != Doing::Unknown && !changesHalves(instruction);
        use.changed = changedBy(instruction, doing);
    }
    if (!use.keeps)
        return use;
    if (doing == Doing::Stack && !floatingPoint) {
        const Operation operation = instruction.entry->operation;
        use.base = operation == Operation::Leave ? Ebp : Esp;
        use.writes = operation == Operation::Push || operation == Operation::CallRelative
            || operation == Operation::CallIndirect;
    } else if (instruction.rmIsMemory && instruction.entry->operation != Operation::Lea) {
        if (instruction.index == Instruction::noRegister && !isSelector(instruction.segment))
            use.base = instruction.base;
        use.writes = writesRm(instruction);
    }
    return use;
}

} // namespace

void KeptBases::follow(const Instruction& instruction)
{
    const Following following = followingOf(instruction);
    if (following.kind == Following::Kind::None)
        return;
    copy(following.to, following.from, following.by);
}

void findBaseUses(const GuestUnit& unit, std::vector<BaseUse>& uses)
{
    struct Ahead {
        uint8_t uses = 0;
        bool writes = false;
    };
    std::array<Ahead, 8> ahead {};
    uses.resize(unit.steps.size());
    for (size_t n = unit.steps.size(); n-- > 0;) {
        const GuestUnit::Step& step = unit.steps[n];
        BaseUse& use = uses[n] = useOf(step, unit.mode & unit_mode::oneOfSeveral);
        if (!use.keeps) {
            ahead.fill({});
            continue;
        }
        if (const Following following = followingOf(step.instruction); following.kind != Following::Kind::None) {
            if (following.kind == Following::Kind::Copy && following.to != following.from)
                ahead[following.to] = {};
            use.changed = step.instruction.entry->operation == Operation::Leave ? bit(Ebp) : uint8_t { 0 };
        }
        for (unsigned reg = 0; reg < ahead.size(); ++reg)
            if (use.changed & 1u << reg)
                ahead[reg] = {};
        if (use.base == Instruction::noRegister)
            continue;
        Ahead& next = ahead[use.base];
        use.usesAhead = next.uses;
        use.writesAhead = next.writes;
        if (next.uses < 0xff)
            ++next.uses;
        next.writes |= use.writes;
    }
}

} // namespace namsan
