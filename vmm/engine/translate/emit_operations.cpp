// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/native_operations.h"
#include "vmm/engine/translate/unit_emitter.h"

namespace namsan {

using namespace register_map;

namespace {

constexpr uint8_t operandSized = 0xff;
constexpr std::array<uint8_t, 256> immediateWidths = [] {
    std::array<uint8_t, 256> widths {};
    widths[static_cast<size_t>(Operand::Imm8)] = 1;
    widths[static_cast<size_t>(Operand::Imm8Signed)] = 1;
    widths[static_cast<size_t>(Operand::Imm16)] = 2;
    widths[static_cast<size_t>(Operand::ImmV)] = operandSized;
    return widths;
}();

unsigned immediateBytes(const Instruction& instruction)
{
    for (const Operand operand : instruction.entry->operands)
        if (const uint8_t width = immediateWidths[static_cast<size_t>(operand)])
            return width == operandSized ? instruction.operandSize : width;
    return 0;
}

bool isByteRegister(const Instruction& instruction)
{
    for (const Operand operand : instruction.entry->operands)
        if (operand == Operand::Reg8)
            return true;
    return false;
}

// The encoding's own opcode and ModRM.reg, or those of another encoding of the same operation where the guest's is none
// in 64-bit mode.
struct HostEncoding {
    uint8_t opcode;
    uint8_t reg;
    bool hasRm = true;
};

HostEncoding hostEncodingOf(const Instruction& instruction)
{
    const InstructionEntry& entry = *instruction.entry;
    if (entry.modRm != ModRm::Absent) {
        uint8_t opcode = entry.opcode;
        if (entry.map == OpcodeMap::Primary && opcode == 0x82)
            opcode = 0x80;
        if (entry.operation == Operation::Movnti)
            opcode = 0x89;
        if (entry.extension >= 0)
            return { opcode, static_cast<uint8_t>(entry.extension) };
        if (entry.operation == Operation::Setcc) // ModRM.reg is no operand
            return { opcode, 0 };
        const bool byte = isByteRegister(instruction);
        return { opcode, byte ? instruction.reg : hostOfGuest[instruction.reg] };
    }
    if (entry.map == OpcodeMap::Primary) {
        if (entry.operation == Operation::Inc || entry.operation == Operation::Dec)
            return { 0xff, static_cast<uint8_t>(entry.operation == Operation::Dec) };
        if (entry.opcode == 0xb0)
            return { 0xc6, 0 };
        if (entry.opcode == 0xb8)
            return { 0xc7, 0 };
        if (entry.opcode >= 0xa0 && entry.opcode <= 0xa3) { // direct offsets have 64 bits there
            constexpr std::array<uint8_t, 4> withModRm { 0x8a, 0x8b, 0x88, 0x89 };
            return { withModRm[entry.opcode - 0xa0u], 0 };
        }
    }
    return { entry.opcode, 0, false };
}

} // namespace

// The guest's instruction on host registers, its memory operand at m_operand.
void UnitEmitter::emitEncoded(const Instruction& instruction, bool locked)
{
    Assembler& a = m_assembler;
    const InstructionEntry& entry = *instruction.entry;
    const HostEncoding encoding = hostEncodingOf(instruction);
    const OpcodeMap map = entry.operation == Operation::Movnti ? OpcodeMap::Primary : entry.map;
    if (!encoding.hasRm) {
        if (entry.operation == Operation::Bswap) {
            a.bswap(guest(instruction.reg));
            return;
        }
        if (instruction.operandSize == 2)
            a.put(0x66, 1);
        a.put(entry.opcode, 1);
        a.immediate(immediateBytes(instruction), instruction.immediate);
        return;
    }
    HostRm rm { instruction.rmIsMemory, 0 };
    if (!rm.memory)
        rm.number = rmWidth(instruction) == 1 ? instruction.rm : hostOfGuest[instruction.rm];

    // A memory operand may need a REX prefix, with which AH has no number: it changes places with AL meanwhile.
    const bool swapsHalves = rm.memory && isByteRegister(instruction) && instruction.reg >= 4;
    const auto low = static_cast<uint8_t>(instruction.reg & 3);
    const auto swapHalves = [&] { a.encode(OpcodeMap::Primary, 0x86, 4, low, { false, instruction.reg }); };
    if (swapsHalves) {
        // Nothing may fault between the two changes of places.
        if (!m_asks)
            a.movzx(temporary, a.byte[host + address64]); // nothing is kept, so that is where it is
        swapHalves();
    }
    if (locked)
        a.lock();
    const uint8_t reg = swapsHalves ? low : encoding.reg;
    if (rm.memory)
        a.encodeAt(map, encoding.opcode, instruction.operandSize, reg, m_operand);
    else
        a.encode(map, encoding.opcode, instruction.operandSize, reg, rm);
    a.immediate(immediateBytes(instruction), instruction.immediate);
    if (swapsHalves)
        swapHalves();
}

void UnitEmitter::emitOrdinary(const Step& step)
{
    const Instruction& instruction = step.instruction;
    const FlagEffect effect = step.effect;
    const bool needsFlags = (effect.changes || effect.read) && step.liveIn;
    if (instruction.entry->operation == Operation::Lea) {
        emitOffset(instruction, instruction.operandSize == 4 ? guest(instruction.reg) : address);
        if (instruction.operandSize == 2)
            m_assembler.mov(Xbyak::Reg16(hostOfGuest[instruction.reg]), m_assembler.r8w);
        return;
    }
    if (!instruction.rmIsMemory) {
        if (needsFlags)
            loadFlagsIfLive(step.liveIn);
        emitEncoded(instruction);
        noteFlagEffect(effect);
        return;
    }
    if (!m_asks) {
        emitOrdinaryByAccess(step, needsFlags);
        return;
    }
    saveFlagsIfLive(step.liveIn);
    emitAddress(instruction);
    const unsigned size = rmWidth(instruction);
    if (writesRm(instruction)) {
        emitWrite(step, size, readsRm(instruction), [this, &instruction, needsFlags] {
            if (needsFlags)
                loadFlags();
            emitEncoded(instruction);
        });
        if (needsFlags)
            m_state.flagsInHost = true;
    } else {
        emitReadLookup(step, size);
        if (needsFlags)
            loadFlagsIfLive(step.liveIn);
        emitEncoded(instruction);
    }
    noteFlagEffect(effect);
}

void UnitEmitter::emitOrdinaryByAccess(const Step& step, bool needsFlags)
{
    const Instruction& instruction = step.instruction;
    if (needsFlags)
        loadFlagsIfLive(step.liveIn);
    const AccessKind kind = !writesRm(instruction) ? AccessKind::Read
        : readsRm(instruction)                     ? AccessKind::ReadAndWrite
                                                   : AccessKind::Write;
    Access access = operandAccess(step, kind);
    access.size = rmWidth(instruction);
    emitAccess(step, access, [this, &instruction] { emitEncoded(instruction); });
    noteFlagEffect(step.effect);
}

// Of one processor. With memory, the host's would lock.
void UnitEmitter::emitExchange(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    if (instruction.entry->modRm == ModRm::Absent) {
        if (instruction.reg == Eax) // NOP and PAUSE
            return;
        a.encode(OpcodeMap::Primary, 0x87, instruction.operandSize, hostOfGuest[Eax],
            { false, hostOfGuest[instruction.reg] });
        return;
    }
    if (!instruction.rmIsMemory || rmWidth(instruction) != 4) {
        emitOrdinary(step);
        return;
    }
    saveFlagsBeforeLookup(step.liveIn);
    emitAddress(instruction);
    emitWrite(step, 4, true, [this, &a, &instruction] {
        a.load(value, Assembler::operandPlace());
        a.store(Assembler::operandPlace(), guest(instruction.reg));
        a.mov(guest(instruction.reg), value);
    });
}

// A bit of memory whose number is in a register: which four bytes it is in depends on the number. Intel SDM volume 2,
// 3.1.1.9.
void UnitEmitter::emitBitTest(const Step& step)
{
    const Instruction& instruction = step.instruction;
    const FlagEffect effect = step.effect;
    Assembler& a = m_assembler;
    saveFlagsIfLive(step.liveIn);
    m_state.flagsInHost = false;
    emitAddress(instruction);
    a.mov(value, guest(instruction.reg));
    a.sar(value, 5);
    a.lea(address, a.ptr[address64 + value64 * 4]);
    const auto operation = [this, &instruction, &a, live = step.liveIn & ~effect.replaced] {
        a.load(value, Assembler::operandPlace());
        if (live)
            loadFlags();
        a.encode(OpcodeMap::Extended0F, instruction.entry->opcode, 4, hostOfGuest[instruction.reg],
            { false, static_cast<uint8_t>(value.getIdx()) });
        if (writesRm(instruction))
            a.store(Assembler::operandPlace(), value);
    };
    if (writesRm(instruction)) {
        emitWrite(step, 4, true, operation);
    } else {
        emitReadLookup(step, 4);
        operation();
    }
    noteFlagEffect(effect);
}

// Where the host's division would fault, or might, the interpreter's handler does it: DIV where the quotient has more
// than 32 bits, IDIV unless EDX is the sign of EAX and the divisor neither 0 nor -1.
void UnitEmitter::emitDivision(const Step& step)
{
    const Instruction& instruction = step.instruction;
    Assembler& a = m_assembler;
    saveFlagsIfLive(step.liveIn);
    if (instruction.rmIsMemory) {
        emitAddress(instruction);
        emitReadLookup(step, 4);
        a.load(value, Assembler::operandPlace());
    } else {
        a.mov(value, guest(instruction.rm));
    }
    ColdPath& cold = addColdPath();
    if (instruction.entry->operation == Operation::Div) {
        a.cmp(a.edx, value);
        a.jumpIf(Condition::AboveOrEqual, cold.start);
        a.div(value);
    } else {
        a.mov(temporary, a.eax);
        a.sar(temporary, 31);
        a.cmp(temporary, a.edx);
        a.jumpIf(Condition::NotEqual, cold.start);
        a.lea(temporary, a.ptr[Xbyak::Reg64(value.getIdx()) + 1]);
        a.cmp(temporary, 1);
        a.jumpIf(Condition::BelowOrEqual, cold.start);
        a.idiv(value);
    }
    a.bind(cold.back);
    cold.emit = [this, &cold, &step] {
        emitHandler(step, AfterHandler::GoBack);
        m_assembler.jumpTo(cold.back);
    };
    noteFlagEffect(step.effect);
}

} // namespace namsan
