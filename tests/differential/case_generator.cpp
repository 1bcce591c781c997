// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/case_generator.h"

#include "vmm/engine/cpu_state.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

namespace namsan {

namespace {

constexpr uint32_t middleOfMemory = nativeMemory + nativeMemoryBytes / 2;
constexpr uint32_t endOfMemory = nativeMemory + nativeMemoryBytes;

bool isOneOf(Operation operation, std::initializer_list<Operation> some)
{
    return std::find(some.begin(), some.end(), operation) != some.end();
}

bool has(const InstructionEntry& entry, std::initializer_list<Operand> some)
{
    return std::any_of(entry.operands.begin(), entry.operands.end(), [some](Operand operand) {
        return operand != Operand::None && std::find(some.begin(), some.end(), operand) != some.end();
    });
}

bool isBitTest(const InstructionEntry& entry)
{
    return isOneOf(entry.operation, { Operation::Bt, Operation::Bts, Operation::Btr, Operation::Btc });
}

uint32_t wordAt(const NativeState& state, uint32_t address)
{
    uint32_t value;
    std::memcpy(&value, &state.memory[address - nativeMemory], sizeof value);
    return value;
}
void setWord(NativeState& state, uint32_t address, uint32_t value)
{
    std::memcpy(&state.memory[address - nativeMemory], &value, sizeof value);
}

} // namespace

template <class T> void CaseGenerator::emitValue(T value)
{
    for (size_t i = 0; i < sizeof value; ++i)
        emit(static_cast<uint8_t>(value >> (8 * i)));
}

NativeCase CaseGenerator::make(const InstructionEntry& entry)
{
    NativeCase test {};
    test.codeAddress = nativeCodePage + 4096 + m_values.below(2048) + 1024;
    NativeState& state = test.before;
    makeState(state);
    state.eip = test.codeAddress;

    m_bytes.clear();
    const bool memory = entry.modRm == ModRm::Memory || (entry.modRm == ModRm::Any && m_values.oneIn(2));
    emitPrefixes(entry, memory);
    for (const char byte : escapeOf(entry.map))
        emit(static_cast<uint8_t>(byte));
    Target target { memory, targetAddress(entry), 0 };
    const bool inOpcode = has(entry, { Operand::OpcodeReg8, Operand::OpcodeRegV });
    emit(static_cast<uint8_t>(entry.opcode + (inOpcode ? m_values.below(8) : 0)));
    if (entry.modRm != ModRm::Absent)
        emitModRm(entry, state, target);
    // BT with a register reaches as far as that register says, which must not be part of the address then.
    if (reachesByRegister(entry, target) && m_addressRegisters >> target.reg & 1)
        return make(entry);
    // CALL ESP would push into the code.
    if ((entry.attributes & attribute::endsBlock) && !target.memory && target.rm == Esp)
        return make(entry);
    emitImmediates(entry);
    tame(entry, state, target);

    std::fill(std::begin(test.code), std::end(test.code), uint8_t { 0xcc });
    std::copy_n(m_bytes.begin(), std::min<size_t>(m_bytes.size(), nativeCodeBytes), test.code);
    return test;
}

bool CaseGenerator::reachesByRegister(const InstructionEntry& entry, const Target& target)
{
    return isBitTest(entry) && target.memory && has(entry, { Operand::RegV });
}

// -- the state before -----------------------------------------------------------------------------------------------

void CaseGenerator::makeState(NativeState& state)
{
    for (uint32_t& value : state.gpr)
        value = m_values.integer32();
    for (const Gpr pointer : { Esp, Ebp, Esi, Edi })
        state.gpr[pointer] = nativeMemory + 256 + m_values.below(512);
    constexpr uint32_t randomFlags = eflags::arithmetic | eflags::direction;
    state.eflags = (static_cast<uint32_t>(m_values.any()) & randomFlags) | eflags::interruptEnable | eflags::alwaysOne;
    m_values.fill(state.memory);
    auto& image = reinterpret_cast<FxsaveImage&>(state.fxsave);
    makeX87(image);
    makeSse(image);
}

void CaseGenerator::makeX87(FxsaveImage& image)
{
    image.control = x87ControlInitial;
    if (m_values.oneIn(2))
        image.control = static_cast<uint16_t>((m_values.any() & x87ControlWritable) | x87ControlAlwaysOne);
    if (m_values.oneIn(2))
        image.control |= x87_status::exceptions;
    const auto random = static_cast<uint16_t>(m_values.any());
    image.status = random & (x87_status::conditions | x87_status::topMask);
    if (m_values.oneIn(2))
        image.status |= random & (x87_status::exceptions | x87_status::stackFault);
    const bool pending = image.status & ~image.control & x87_status::exceptions;
    if (pending && !m_values.oneIn(4))
        image.status &= static_cast<uint16_t>(~x87_status::exceptions);
    else if (pending)
        image.status |= x87_status::errorSummary | x87_status::busy;

    for (Register80& value : image.st)
        value = m_values.extended();
    const unsigned top = image.status >> x87_status::topShift & 7;
    image.validTags = 0xff;
    const uint32_t kind = m_values.below(4);
    if (kind == 0)
        image.validTags = static_cast<uint8_t>(m_values.any());
    else if (kind < 3) // the lower half of the stack is in use
        image.validTags = static_cast<uint8_t>(0x0f0f >> ((8 - top) & 7));
}

void CaseGenerator::makeSse(FxsaveImage& image)
{
    image.mxcsr = mxcsr::initial;
    image.mxcsrMask = mxcsr::writable;
    if (m_values.oneIn(2))
        image.mxcsr = static_cast<uint32_t>(m_values.any()) & mxcsr::writable;
    if (m_values.oneIn(2))
        image.mxcsr |= mxcsr::masks;
    for (RegisterXmm& value : image.xmm)
        m_values.fill(std::span(reinterpret_cast<uint8_t*>(&value), sizeof value));
}

// -- the encoding ---------------------------------------------------------------------------------------------------

void CaseGenerator::emitPrefixes(const InstructionEntry& entry, bool memory)
{
    const bool sized = has(entry,
        { Operand::RmV, Operand::RegV, Operand::OpcodeRegV, Operand::ImmV, Operand::RelV, Operand::AccumulatorV,
            Operand::OffsetV, Operand::StringSourceV, Operand::StringDestinationV, Operand::Memory,
            Operand::Imm8Signed });
    const bool mayBe16 = entry.prefix == MandatoryPrefix::Any && m_values.oneIn(sized ? 3 : 8);
    m_operand16 = mayBe16;
    if (memory && m_values.oneIn(16)) {
        constexpr std::array<uint8_t, 4> overrides { 0x26, 0x2e, 0x36, 0x3e };
        emit(overrides[m_values.below(4)]);
    }
    if (memory && (entry.attributes & attribute::lockable) && m_values.oneIn(4))
        emit(0xf0);
    if (mayBe16)
        emit(0x66);
    if ((entry.attributes & attribute::repeatable) && m_values.oneIn(2))
        emit(m_values.oneIn(2) ? 0xf3 : 0xf2);
    if (entry.prefix == MandatoryPrefix::P66)
        emit(0x66);
    if (entry.prefix == MandatoryPrefix::PF3)
        emit(0xf3);
    if (entry.prefix == MandatoryPrefix::PF2)
        emit(0xf2);
}

// Mostly aligned and well inside; sometimes running over the page's end into nothing.
uint32_t CaseGenerator::targetAddress(const InstructionEntry& entry)
{
    const uint32_t room = has(entry, { Operand::Memory }) ? 512 : 64;
    if (m_values.oneIn(24))
        return endOfMemory - m_values.below(20);
    const uint32_t address = nativeMemory + m_values.below(nativeMemoryBytes - room);
    return m_values.oneIn(6) ? address : address & ~15u;
}

void CaseGenerator::emitModRm(const InstructionEntry& entry, NativeState& state, Target& target)
{
    const uint8_t reg = static_cast<uint8_t>(entry.extension >= 0 ? entry.extension : m_values.below(8));
    target.reg = reg;
    m_addressRegisters = 0;
    if (!target.memory) {
        target.rm = static_cast<uint8_t>(entry.rmExtension >= 0 ? entry.rmExtension : m_values.below(8));
        return emit(static_cast<uint8_t>(0xc0 | reg << 3 | target.rm));
    }
    const auto mod = static_cast<uint8_t>(m_values.below(3));
    if (m_values.oneIn(2))
        return emitSib(state, mod, reg, target.address);
    const auto base = static_cast<uint8_t>(m_values.below(8));
    if (base == Esp)
        return emitSib(state, mod, reg, target.address);
    emit(static_cast<uint8_t>(mod << 6 | reg << 3 | base));
    if (mod == 0 && base == Ebp)
        return emitValue(target.address);
    const uint32_t displacement = mod == 0 ? 0 : mod == 1 ? m_values.below(256) - 128 : m_values.integer32();
    m_addressRegisters = 1u << base;
    state.gpr[base] = target.address - displacement;
    if (mod == 1)
        emit(static_cast<uint8_t>(displacement));
    if (mod == 2)
        emitValue(displacement);
}

void CaseGenerator::emitSib(NativeState& state, uint8_t mod, uint8_t reg, uint32_t address)
{
    const auto base = static_cast<uint8_t>(m_values.below(8));
    if (base == Esp) { // near to what it points to: a push or pop may use it too
        emit(static_cast<uint8_t>(1 << 6 | reg << 3 | 4));
        emit(0x24);
        const uint32_t near = m_values.below(256) - 128;
        state.gpr[Esp] = address - near;
        m_addressRegisters = 1u << Esp;
        return emit(static_cast<uint8_t>(near));
    }
    auto index = static_cast<uint8_t>(m_values.below(8));
    const auto scale = static_cast<uint8_t>(m_values.below(4));
    if (index == base)
        index = Esp; // means none
    emit(static_cast<uint8_t>(mod << 6 | reg << 3 | 4));
    emit(static_cast<uint8_t>(scale << 6 | index << 3 | base));
    m_addressRegisters = 1u << base | (index == Esp ? 0 : 1u << index);
    const uint32_t scaled = index == Esp ? 0 : state.gpr[index] << scale;
    if (mod == 0 && base == Ebp)
        return emitValue(address - scaled);
    const uint32_t displacement = mod == 0 ? 0 : mod == 1 ? m_values.below(256) - 128 : m_values.integer32();
    state.gpr[base] = address - scaled - displacement;
    if (mod == 1)
        emit(static_cast<uint8_t>(displacement));
    if (mod == 2)
        emitValue(displacement);
}

// To an INT3 in the code pages, never into the instruction itself.
void CaseGenerator::emitJump(unsigned size)
{
    const auto distance = static_cast<int32_t>(32 + m_values.below(size == 1 ? 80 : 900));
    const int32_t offset = m_values.oneIn(2) ? distance : -distance;
    if (size == 1)
        emitValue(static_cast<uint8_t>(offset));
    else if (size == 2)
        emitValue(static_cast<uint16_t>(offset));
    else
        emitValue(static_cast<uint32_t>(offset));
}

void CaseGenerator::emitImmediates(const InstructionEntry& entry)
{
    for (const Operand operand : entry.operands) {
        switch (operand) {
        case Operand::Imm8:
        case Operand::Imm8Signed:
            emit(static_cast<uint8_t>(m_values.integer32()));
            break;
        case Operand::Imm16: // a stack's extent
            emitValue(static_cast<uint16_t>(m_values.below(200)));
            break;
        case Operand::ImmV:
            if (m_operand16)
                emitValue(static_cast<uint16_t>(m_values.integer32()));
            else
                emitValue(m_values.integer32());
            break;
        case Operand::Rel8:
            emitJump(1);
            break;
        case Operand::RelV:
            emitJump(m_operand16 ? 2 : 4);
            break;
        case Operand::Offset8:
        case Operand::OffsetV:
            emitValue(targetAddress(entry));
            break;
        default:
            break;
        }
    }
}

// -- keeping what an operand decides inside the pages ---------------------------------------------------------------

void CaseGenerator::tame(const InstructionEntry& entry, NativeState& state, const Target& target)
{
    if (entry.attributes & attribute::repeatable)
        state.gpr[Ecx] = m_values.below(20);
    if (isOneOf(entry.operation, { Operation::Xlat }))
        state.gpr[Ebx] = nativeMemory + m_values.below(512);
    if (reachesByRegister(entry, target))
        state.gpr[target.reg] = m_values.below(1024) - 512;
    if (entry.operation == Operation::Ldmxcsr || entry.operation == Operation::Fxrstor) {
        // Hosts differ in what MXCSR has beyond SSE2: there is nothing beyond it, or bits that nobody has.
        const uint32_t at = entry.operation == Operation::Fxrstor ? target.address + 24 : target.address;
        if (at <= endOfMemory - 4)
            setWord(state, at, wordAt(state, at) & (m_values.oneIn(4) ? 0xfff0ffff : mxcsr::writable));
    }
    if (isOneOf(entry.operation, { Operation::Pcmpestri, Operation::Pcmpestrm }))
        for (const Gpr length : { Eax, Edx }) // signed; beyond 16 it is 16
            if (!(target.memory && m_addressRegisters >> length & 1) && !m_values.oneIn(4))
                state.gpr[length] = m_values.below(40) - 20;
    if (entry.operation == Operation::Cvtpi2ps && target.memory) {
        // Intel's processors report a pending x87 exception first, AMD's and this one do not.
        auto& image = reinterpret_cast<FxsaveImage&>(state.fxsave);
        image.status &= static_cast<uint16_t>(~(x87_status::exceptions | x87_status::errorSummary | x87_status::busy));
    }
    if (entry.attributes & attribute::endsBlock)
        tameTransfers(entry, state, target);
}

void CaseGenerator::tameTransfers(const InstructionEntry& entry, NativeState& state, const Target& target)
{
    const auto somewhere = [this] { return uint32_t { nativeCodePage } + m_values.below(1000); };
    for (uint32_t at = nativeMemory; at < endOfMemory; at += 4)
        setWord(state, at, somewhere());
    if (has(entry, { Operand::RmV }) && !target.memory)
        state.gpr[target.rm] = somewhere();
}

} // namespace namsan
