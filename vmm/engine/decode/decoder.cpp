// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/decode/decoder.h"

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/interpret/fault.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace namsan {

namespace {

constexpr InstructionEntry undefinedEntry { OpcodeMap::Extended0F, 0xff, MandatoryPrefix::Any, ModRm::Absent, -1, -1,
    "(undefined)", {}, Operation::Undefined, 0, 0, 0, attribute::endsBlock };
constexpr InstructionEntry tooLongEntry { OpcodeMap::Extended0F, 0xff, MandatoryPrefix::Any, ModRm::Absent, -1, -1,
    "(too long)", {}, Operation::Undefined, 0, 0, 0, attribute::endsBlock };

void raiseInvalidOpcode(Processor&, const Instruction&)
{
    throwInvalidOpcode();
}
void raiseTooLong(Processor&, const Instruction&)
{
    throwGeneralProtection();
}

bool isRegisterOfOpcode(Operand operand)
{
    return operand == Operand::OpcodeReg8 || operand == Operand::OpcodeRegV;
}
bool isString(Operand operand)
{
    return operand == Operand::StringSourceB || operand == Operand::StringSourceV;
}

} // namespace

// Where the decoder stands in the bytes; ends at the 15th byte however many there are.
struct Decoder::Cursor {
    const uint8_t* begin;
    const uint8_t* at;
    const uint8_t* end;
    size_t available;

    explicit Cursor(std::span<const uint8_t> bytes)
        : begin(bytes.data())
        , at(begin)
        , end(begin + std::min<size_t>(bytes.size(), longestInstruction))
        , available(bytes.size())
    {
    }

    template <class T> bool take(T& value)
    {
        if (static_cast<size_t>(end - at) < sizeof value)
            return false;
        std::memcpy(&value, at, sizeof value);
        at += sizeof value;
        return true;
    }
};

struct Decoder::Prefixes {
    bool operandSize = false;
    bool addressSize = false;
    bool lock = false;
    uint8_t repeat = 0; // F2, F3: the last one counts
    int8_t segment = -1;

    // False when the byte is no prefix.
    bool note(uint8_t byte)
    {
        switch (byte) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
            segment = static_cast<int8_t>((byte >> 3) & 3);
            return true;
        case 0x64:
        case 0x65:
            segment = static_cast<int8_t>(byte - 0x60);
            return true;
        case 0x66:
            operandSize = true;
            return true;
        case 0x67:
            addressSize = true;
            return true;
        case 0xf0:
            lock = true;
            return true;
        case 0xf2:
        case 0xf3:
            repeat = byte;
            return true;
        default:
            return false;
        }
    }

    // F2 and F3 win over 66. Intel SDM volume 2, 2.1.2.
    unsigned mandatory() const
    {
        if (repeat)
            return repeat == 0xf3 ? PrefixF3 : PrefixF2;
        return operandSize ? Prefix66 : NoPrefix;
    }
};

Decoder::Decoder(const FeatureSet& features)
    : m_cells(cellOf(OpcodeMap::Extended0F3A, 0xff, 3, true, 7) + 1, undefined)
{
    const HandlerTable handlers;
    Plan nothing;
    nothing.entry = &undefinedEntry;
    for (auto& forms : nothing.handlers)
        forms.fill(raiseInvalidOpcode);
    m_plans.push_back(nothing);
    for (const auto part :
        { generalInstructions(), systemInstructions(), x87Instructions(), simdInstructions(), laterSimdInstructions() })
        for (const InstructionEntry& entry : part)
            if (features.has(entry.feature))
                addEntry(entry, handlers);
}

void Decoder::addEntry(const InstructionEntry& entry, const HandlerTable& handlers)
{
    m_entries.push_back(&entry);
    Plan plan;
    plan.entry = &entry;
    plan.hasModRm = entry.modRm != ModRm::Absent;
    for (const unsigned size : { 2u, 4u })
        for (const RmForm form : { RmForm::Register, RmForm::Memory }) {
            // A mandatory 66 chooses no operand size; beside a mandatory F2 or F3 it does (POPCNT, CRC32).
            const bool sized = entry.prefix != MandatoryPrefix::None && entry.prefix != MandatoryPrefix::P66;
            const unsigned operandSize = sized ? size : 4;
            plan.handlers[size / 4][static_cast<size_t>(form)]
                = handlers.find(entry, mainWidth(entry, operandSize), form);
        }
    for (const Operand operand : entry.operands) {
        ImmediateKind kind = ImmediateKind::None;
        switch (operand) {
        case Operand::Imm8:
            kind = ImmediateKind::Byte;
            break;
        case Operand::Imm8Signed:
        case Operand::Rel8:
            kind = ImmediateKind::SignedByte;
            break;
        case Operand::Imm16:
            kind = ImmediateKind::Word;
            break;
        case Operand::ImmV:
        case Operand::RelV:
        case Operand::FarPointerV:
            kind = ImmediateKind::OperandSized;
            break;
        case Operand::Offset8:
        case Operand::OffsetV:
            kind = ImmediateKind::AddressSized;
            break;
        default:
            break;
        }
        if (kind != ImmediateKind::None)
            (plan.immediate == ImmediateKind::None ? plan.immediate : plan.secondImmediate) = kind;
        if (operand == Operand::FarPointerV)
            plan.secondImmediate = ImmediateKind::Word;
        plan.modIsIgnored |= operand == Operand::ControlReg || operand == Operand::DebugReg;
        plan.registerInOpcode |= isRegisterOfOpcode(operand);
        plan.impliedMemory |= isString(operand) || operand == Operand::Offset8 || operand == Operand::OffsetV;
    }
    plan.impliedMemory |= entry.operation == Operation::Xlat;
    const auto index = static_cast<uint16_t>(m_plans.size());
    m_plans.push_back(plan);
    for (unsigned n = 0; n < (plan.registerInOpcode ? 8u : 1u); ++n)
        fillCells(entry, static_cast<uint8_t>(entry.opcode + n), index);
}

void Decoder::fillCells(const InstructionEntry& entry, uint8_t opcode, uint16_t plan)
{
    const auto map = static_cast<size_t>(entry.map);
    m_mapExists[map] = true;
    m_hasModRm[map][opcode] |= m_plans[plan].hasModRm;
    m_modIsIgnored[map][opcode] |= m_plans[plan].modIsIgnored;
    for (const unsigned prefix : { NoPrefix, Prefix66, PrefixF3, PrefixF2 }) {
        if (entry.prefix != MandatoryPrefix::Any && static_cast<unsigned>(entry.prefix) != prefix + 1)
            continue;
        for (const bool isRegister : { false, true }) {
            if (entry.modRm == (isRegister ? ModRm::Memory : ModRm::Register) && !m_plans[plan].modIsIgnored)
                continue;
            for (unsigned reg = 0; reg < 8; ++reg)
                if (entry.extension < 0 || static_cast<unsigned>(entry.extension) == reg)
                    place(
                        cellOf(entry.map, opcode, prefix, isRegister, reg), isRegister ? entry.rmExtension : -1, plan);
        }
    }
}

void Decoder::place(size_t cell, int rmExtension, uint16_t plan)
{
    if (rmExtension < 0) {
        m_cells[cell] = plan;
        return;
    }
    if (!(m_cells[cell] & byRm)) {
        std::array<uint16_t, 8> alternatives;
        alternatives.fill(m_cells[cell]);
        m_cells[cell] = static_cast<uint16_t>(byRm | m_byRm.size());
        m_byRm.push_back(alternatives);
    }
    m_byRm[m_cells[cell] & ~byRm][static_cast<size_t>(rmExtension)] = plan;
}

Decoder::Outcome Decoder::decode(std::span<const uint8_t> bytes, bool code32, Instruction& instruction) const
{
    Cursor cursor(bytes);
    Prefixes prefixes;
    instruction = Instruction {};

    uint8_t opcode = 0;
    do {
        if (!cursor.take(opcode))
            return refuse(cursor, instruction, true);
    } while (prefixes.note(opcode));
    OpcodeMap map = OpcodeMap::Primary;
    if (opcode == 0x0f) {
        map = OpcodeMap::Extended0F;
        if (!cursor.take(opcode))
            return refuse(cursor, instruction, true);
        const OpcodeMap third = opcode == 0x38 ? OpcodeMap::Extended0F38 : OpcodeMap::Extended0F3A;
        if ((opcode == 0x38 || opcode == 0x3a) && m_mapExists[static_cast<size_t>(third)]) {
            map = third;
            if (!cursor.take(opcode))
                return refuse(cursor, instruction, true);
        }
    }
    const bool address32 = code32 != prefixes.addressSize;
    instruction.opcode = opcode;
    instruction.operandSize = code32 != prefixes.operandSize ? 4 : 2;
    instruction.address16 = !address32;
    instruction.addressMask = address32 ? 0xffffffff : 0xffff;
    instruction.lock = prefixes.lock;
    instruction.rep = prefixes.repeat == 0xf3;
    instruction.repne = prefixes.repeat == 0xf2;
    instruction.segment = prefixes.segment < 0 ? uint8_t { Ds } : static_cast<uint8_t>(prefixes.segment);

    uint8_t modRm = 0;
    const bool hasModRm = m_hasModRm[static_cast<size_t>(map)][opcode];
    if (hasModRm) {
        if (!cursor.take(modRm))
            return refuse(cursor, instruction, true);
        if (m_modIsIgnored[static_cast<size_t>(map)][opcode])
            modRm |= 0xc0;
    }
    uint16_t index = m_cells[cellOf(map, opcode, prefixes.mandatory(), modRm >= 0xc0, (modRm >> 3) & 7)];
    if (index & byRm)
        index = m_byRm[index & ~byRm][modRm & 7];
    const Plan& plan = m_plans[index];
    instruction.entry = plan.entry;

    if (hasModRm && !takeModRm(cursor, prefixes, modRm, instruction))
        return refuse(cursor, instruction, true);
    if (plan.registerInOpcode)
        instruction.reg = instruction.rm = opcode & 7;
    if (plan.impliedMemory)
        instruction.rmIsMemory = true;
    if (plan.immediate == ImmediateKind::AddressSized) {
        if (!takeImmediate(cursor, plan.immediate, instruction, instruction.displacement))
            return refuse(cursor, instruction, true);
    } else if (plan.immediate != ImmediateKind::None) {
        if (!takeImmediate(cursor, plan.immediate, instruction, instruction.immediate))
            return refuse(cursor, instruction, true);
        uint32_t second = 0;
        if (plan.secondImmediate != ImmediateKind::None
            && !takeImmediate(cursor, plan.secondImmediate, instruction, second))
            return refuse(cursor, instruction, true);
        instruction.immediate2 = static_cast<uint16_t>(second);
    }
    if (index == undefined || (prefixes.lock && !lockIsLegal(instruction)))
        return refuse(cursor, instruction, false);
    instruction.length = static_cast<uint8_t>(cursor.at - cursor.begin);
    instruction.execute = plan.handlers[instruction.operandSize / 4][instruction.rmIsMemory ? 1 : 0];
    return Outcome::Decoded;
}

// LOCK needs a memory destination. Intel SDM volume 2, "LOCK".
bool Decoder::lockIsLegal(const Instruction& instruction)
{
    return (instruction.entry->attributes & attribute::lockable) && instruction.rmIsMemory;
}

Decoder::Outcome Decoder::refuse(const Cursor& cursor, Instruction& instruction, bool outOfBytes) const
{
    const bool tooLong = outOfBytes && cursor.available >= longestInstruction;
    if (outOfBytes && !tooLong)
        return Outcome::NeedsMore;
    instruction.entry = tooLong ? &tooLongEntry : &undefinedEntry;
    instruction.execute = tooLong ? raiseTooLong : raiseInvalidOpcode;
    instruction.length = static_cast<uint8_t>(cursor.at - cursor.begin);
    return Outcome::Decoded;
}

bool Decoder::takeModRm(Cursor& cursor, const Prefixes& prefixes, uint8_t modRm, Instruction& instruction) const
{
    instruction.modRm = modRm;
    instruction.reg = (modRm >> 3) & 7;
    instruction.rm = modRm & 7;
    if (modRm >= 0xc0)
        return true;
    instruction.rmIsMemory = true;
    if (!(instruction.address16 ? takeAddress16 : takeAddress32)(cursor, modRm, instruction))
        return false;
    if (prefixes.segment < 0 && (instruction.base == Ebp || instruction.base == Esp))
        instruction.segment = Ss;
    return true;
}

// Intel SDM volume 2, table 2-1.
bool Decoder::takeAddress16(Cursor& cursor, uint8_t modRm, Instruction& instruction)
{
    static constexpr uint8_t none = Instruction::noRegister;
    static constexpr uint8_t bases[8] = { Ebx, Ebx, Ebp, Ebp, none, none, Ebp, Ebx };
    static constexpr uint8_t indices[8] = { Esi, Edi, Esi, Edi, Esi, Edi, none, none };
    const unsigned mod = modRm >> 6;
    const unsigned rm = modRm & 7;
    if (mod == 1) {
        int8_t displacement;
        if (!cursor.take(displacement))
            return false;
        instruction.displacement = static_cast<uint32_t>(displacement);
    } else if (mod == 2 || rm == 6) {
        uint16_t displacement;
        if (!cursor.take(displacement))
            return false;
        instruction.displacement = displacement;
        if (mod == 0)
            return true;
    }
    instruction.base = bases[rm];
    instruction.index = indices[rm];
    return true;
}

// Intel SDM volume 2, tables 2-2 and 2-3.
bool Decoder::takeAddress32(Cursor& cursor, uint8_t modRm, Instruction& instruction)
{
    const unsigned mod = modRm >> 6;
    uint8_t base = modRm & 7;
    if (base == Esp) { // a SIB byte follows
        uint8_t sib;
        if (!cursor.take(sib))
            return false;
        base = sib & 7;
        const uint8_t index = (sib >> 3) & 7;
        if (index != Esp) {
            instruction.index = index;
            instruction.scale = sib >> 6;
        }
    }
    if (mod == 1) {
        int8_t displacement;
        if (!cursor.take(displacement))
            return false;
        instruction.displacement = static_cast<uint32_t>(displacement);
    } else if (mod == 2 || base == Ebp) {
        if (!cursor.take(instruction.displacement))
            return false;
        if (mod == 0)
            return true;
    }
    instruction.base = base;
    return true;
}

bool Decoder::takeImmediate(Cursor& cursor, ImmediateKind kind, const Instruction& instruction, uint32_t& value)
{
    const bool fourBytes = kind == ImmediateKind::OperandSized
        ? instruction.operandSize == 4
        : kind == ImmediateKind::AddressSized && !instruction.address16;
    if (fourBytes)
        return cursor.take(value);
    if (kind == ImmediateKind::Byte || kind == ImmediateKind::SignedByte) {
        uint8_t byte = 0;
        if (!cursor.take(byte))
            return false;
        value = kind == ImmediateKind::Byte ? byte : static_cast<uint32_t>(static_cast<int8_t>(byte));
        return true;
    }
    uint16_t word = 0;
    if (!cursor.take(word))
        return false;
    value = word;
    return true;
}

} // namespace namsan
