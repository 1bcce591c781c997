// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/cpu_state.h"
#include "vmm/engine/instruction_table.h"

#include <vector>

// The general-purpose instructions. Intel SDM volume 2, chapters 3 to 5, and volume 1, appendix A (flags).
namespace namsan {

namespace {

using namespace eflags;
using namespace attribute;
using enum Operand;

constexpr uint16_t readWrite = readsDestination | writesDestination;
constexpr uint32_t logicFlags = carry | parity | zero | sign | overflow;

struct Flags {
    uint32_t read = 0;
    uint32_t written = 0;
    uint32_t undefined = 0;
};

struct Opcode {
    OpcodeMap map;
    uint8_t byte;
    ModRm modRm = ModRm::Absent;
    int8_t extension = -1;
};

constexpr Opcode plain(unsigned byte)
{
    return { OpcodeMap::Primary, static_cast<uint8_t>(byte) };
}
constexpr Opcode withModRm(unsigned byte, int extension = -1, ModRm modRm = ModRm::Any)
{
    return { OpcodeMap::Primary, static_cast<uint8_t>(byte), modRm, static_cast<int8_t>(extension) };
}
constexpr Opcode plain0F(unsigned byte)
{
    return { OpcodeMap::Extended0F, static_cast<uint8_t>(byte) };
}
constexpr Opcode withModRm0F(unsigned byte, int extension = -1, ModRm modRm = ModRm::Any)
{
    return { OpcodeMap::Extended0F, static_cast<uint8_t>(byte), modRm, static_cast<int8_t>(extension) };
}

// What a condition reads. Intel SDM volume 1, appendix B.
constexpr uint32_t flagsOfCondition(unsigned condition)
{
    constexpr uint32_t byPair[8]
        = { overflow, carry, zero, carry | zero, sign, parity, sign | overflow, zero | sign | overflow };
    return byPair[condition / 2];
}

class Table {
public:
    Table()
    {
        addArithmetic();
        addUnary();
        addMultiplication();
        addShifts();
        addMoves();
        addExchanges();
        addBitTests();
        addConditionals();
        addNearTransfers();
        addStack();
        addAccumulatorAndFlags();
        addStrings();
        addDecimal();
        addHintsAndTraps();
    }

    std::span<const InstructionEntry> entries() const { return m_entries; }

private:
    void add(Opcode opcode, std::string_view mnemonic, std::array<Operand, 3> operands, Operation operation,
        Flags flags, unsigned attributes, Feature feature = Feature::Base)
    {
        m_entries.push_back(
            { opcode.map, opcode.byte, MandatoryPrefix::Any, opcode.modRm, opcode.extension, -1, mnemonic, operands,
                operation, flags.read, flags.written, flags.undefined, static_cast<uint16_t>(attributes), feature });
    }

    void addArithmetic()
    {
        struct Group {
            std::string_view mnemonic;
            Operation operation;
            Flags flags;
        };
        const Flags sum { 0, arithmetic, 0 };
        const Flags sumWithCarry { carry, arithmetic, 0 };
        const Flags logic { 0, logicFlags, auxiliary };
        const std::array<Group, 8> groups { {
            { "ADD", Operation::Add, sum },
            { "OR", Operation::Or, logic },
            { "ADC", Operation::Adc, sumWithCarry },
            { "SBB", Operation::Sbb, sumWithCarry },
            { "AND", Operation::And, logic },
            { "SUB", Operation::Sub, sum },
            { "XOR", Operation::Xor, logic },
            { "CMP", Operation::Cmp, sum },
        } };
        for (unsigned n = 0; n < groups.size(); ++n) {
            const auto& [name, operation, flags] = groups[n];
            const bool compares = operation == Operation::Cmp;
            const unsigned access = userTestable | (compares ? readsDestination : readWrite);
            const unsigned locked = access | (compares ? 0 : lockable);
            add(withModRm(8 * n), name, { Rm8, Reg8 }, operation, flags, locked);
            add(withModRm(8 * n + 1), name, { RmV, RegV }, operation, flags, locked);
            add(withModRm(8 * n + 2), name, { Reg8, Rm8 }, operation, flags, access);
            add(withModRm(8 * n + 3), name, { RegV, RmV }, operation, flags, access);
            add(plain(8 * n + 4), name, { Al, Imm8 }, operation, flags, access);
            add(plain(8 * n + 5), name, { AccumulatorV, ImmV }, operation, flags, access);
            add(withModRm(0x80, static_cast<int>(n)), name, { Rm8, Imm8 }, operation, flags, locked);
            add(withModRm(0x81, static_cast<int>(n)), name, { RmV, ImmV }, operation, flags, locked);
            add(withModRm(0x82, static_cast<int>(n)), name, { Rm8, Imm8 }, operation, flags, locked);
            add(withModRm(0x83, static_cast<int>(n)), name, { RmV, Imm8Signed }, operation, flags, locked);
        }
        const unsigned test = userTestable | readsDestination;
        add(withModRm(0x84), "TEST", { Rm8, Reg8 }, Operation::Test, logic, test);
        add(withModRm(0x85), "TEST", { RmV, RegV }, Operation::Test, logic, test);
        add(plain(0xa8), "TEST", { Al, Imm8 }, Operation::Test, logic, test);
        add(plain(0xa9), "TEST", { AccumulatorV, ImmV }, Operation::Test, logic, test);
        for (const int extension : { 0, 1 }) { // /1 is not in the manual's tables and has always done the same
            add(withModRm(0xf6, extension), "TEST", { Rm8, Imm8 }, Operation::Test, logic, test);
            add(withModRm(0xf7, extension), "TEST", { RmV, ImmV }, Operation::Test, logic, test);
        }
    }

    void addUnary()
    {
        const Flags step { 0, arithmetic & ~carry, 0 };
        const unsigned access = userTestable | readWrite;
        add(plain(0x40), "INC", { OpcodeRegV }, Operation::Inc, step, access);
        add(plain(0x48), "DEC", { OpcodeRegV }, Operation::Dec, step, access);
        add(withModRm(0xfe, 0), "INC", { Rm8 }, Operation::Inc, step, access | lockable);
        add(withModRm(0xff, 0), "INC", { RmV }, Operation::Inc, step, access | lockable);
        add(withModRm(0xfe, 1), "DEC", { Rm8 }, Operation::Dec, step, access | lockable);
        add(withModRm(0xff, 1), "DEC", { RmV }, Operation::Dec, step, access | lockable);
        add(withModRm(0xf6, 2), "NOT", { Rm8 }, Operation::Not, {}, access | lockable);
        add(withModRm(0xf7, 2), "NOT", { RmV }, Operation::Not, {}, access | lockable);
        add(withModRm(0xf6, 3), "NEG", { Rm8 }, Operation::Neg, { 0, arithmetic, 0 }, access | lockable);
        add(withModRm(0xf7, 3), "NEG", { RmV }, Operation::Neg, { 0, arithmetic, 0 }, access | lockable);
    }

    void addMultiplication()
    {
        const Flags product { 0, carry | overflow, sign | zero | auxiliary | parity };
        const Flags quotient { 0, 0, arithmetic };
        const unsigned source = userTestable | readsDestination; // their one operand is only read
        add(withModRm(0xf6, 4), "MUL", { Rm8 }, Operation::Mul, product, source);
        add(withModRm(0xf7, 4), "MUL", { RmV }, Operation::Mul, product, source);
        add(withModRm(0xf6, 5), "IMUL", { Rm8 }, Operation::Imul, product, source);
        add(withModRm(0xf7, 5), "IMUL", { RmV }, Operation::Imul, product, source);
        add(withModRm(0xf6, 6), "DIV", { Rm8 }, Operation::Div, quotient, source);
        add(withModRm(0xf7, 6), "DIV", { RmV }, Operation::Div, quotient, source);
        add(withModRm(0xf6, 7), "IDIV", { Rm8 }, Operation::Idiv, quotient, source);
        add(withModRm(0xf7, 7), "IDIV", { RmV }, Operation::Idiv, quotient, source);
        add(withModRm0F(0xaf), "IMUL", { RegV, RmV }, Operation::ImulTruncating, product, userTestable | readWrite);
        const unsigned three = userTestable | writesDestination;
        add(withModRm(0x69), "IMUL", { RegV, RmV, ImmV }, Operation::ImulTruncating, product, three);
        add(withModRm(0x6b), "IMUL", { RegV, RmV, Imm8Signed }, Operation::ImulTruncating, product, three);
    }

    void addShifts()
    {
        struct Group {
            std::string_view mnemonic;
            Operation operation;
            Flags byOne;
            Flags byCount; // a count of 0 keeps every flag, so those are read as well
        };
        const Flags shiftOne { 0, logicFlags, auxiliary };
        const Flags shiftCount { arithmetic, parity | zero | sign, carry | auxiliary | overflow };
        const Flags rotateOne { 0, carry | overflow, 0 };
        const Flags rotateCount { carry | overflow, carry, overflow };
        const Flags throughCarryOne { carry, carry | overflow, 0 };
        const std::array<Group, 8> groups { {
            { "ROL", Operation::Rol, rotateOne, rotateCount },
            { "ROR", Operation::Ror, rotateOne, rotateCount },
            { "RCL", Operation::Rcl, throughCarryOne, rotateCount },
            { "RCR", Operation::Rcr, throughCarryOne, rotateCount },
            { "SHL", Operation::Shl, shiftOne, shiftCount },
            { "SHR", Operation::Shr, shiftOne, shiftCount },
            { "SHL", Operation::Shl, shiftOne, shiftCount }, // /6: SAL, an alias that works on every processor
            { "SAR", Operation::Sar, shiftOne, { arithmetic, carry | parity | zero | sign, auxiliary | overflow } },
        } };
        const unsigned access = userTestable | readWrite;
        for (int n = 0; n < 8; ++n) {
            const auto& [name, operation, byOne, byCount] = groups[static_cast<size_t>(n)];
            add(withModRm(0xc0, n), name, { Rm8, Imm8 }, operation, byCount, access);
            add(withModRm(0xc1, n), name, { RmV, Imm8 }, operation, byCount, access);
            add(withModRm(0xd0, n), name, { Rm8, One }, operation, byOne, access);
            add(withModRm(0xd1, n), name, { RmV, One }, operation, byOne, access);
            add(withModRm(0xd2, n), name, { Rm8, Cl }, operation, byCount, access);
            add(withModRm(0xd3, n), name, { RmV, Cl }, operation, byCount, access);
        }
        add(withModRm0F(0xa4), "SHLD", { RmV, RegV, Imm8 }, Operation::Shld, shiftCount, access);
        add(withModRm0F(0xa5), "SHLD", { RmV, RegV, Cl }, Operation::Shld, shiftCount, access);
        add(withModRm0F(0xac), "SHRD", { RmV, RegV, Imm8 }, Operation::Shrd, shiftCount, access);
        add(withModRm0F(0xad), "SHRD", { RmV, RegV, Cl }, Operation::Shrd, shiftCount, access);
    }

    void addMoves()
    {
        const unsigned write = userTestable | writesDestination;
        add(withModRm(0x88), "MOV", { Rm8, Reg8 }, Operation::Mov, {}, write);
        add(withModRm(0x89), "MOV", { RmV, RegV }, Operation::Mov, {}, write);
        add(withModRm(0x8a), "MOV", { Reg8, Rm8 }, Operation::Mov, {}, write);
        add(withModRm(0x8b), "MOV", { RegV, RmV }, Operation::Mov, {}, write);
        add(plain(0xa0), "MOV", { Al, Offset8 }, Operation::Mov, {}, write);
        add(plain(0xa1), "MOV", { AccumulatorV, OffsetV }, Operation::Mov, {}, write);
        add(plain(0xa2), "MOV", { Offset8, Al }, Operation::Mov, {}, write);
        add(plain(0xa3), "MOV", { OffsetV, AccumulatorV }, Operation::Mov, {}, write);
        add(plain(0xb0), "MOV", { OpcodeReg8, Imm8 }, Operation::Mov, {}, write);
        add(plain(0xb8), "MOV", { OpcodeRegV, ImmV }, Operation::Mov, {}, write);
        add(withModRm(0xc6, 0), "MOV", { Rm8, Imm8 }, Operation::Mov, {}, write);
        add(withModRm(0xc7, 0), "MOV", { RmV, ImmV }, Operation::Mov, {}, write);
        add(withModRm0F(0xb6), "MOVZX", { RegV, Rm8 }, Operation::MovzxByte, {}, write);
        add(withModRm0F(0xb7), "MOVZX", { RegV, Rm16 }, Operation::MovzxWord, {}, write);
        add(withModRm0F(0xbe), "MOVSX", { RegV, Rm8 }, Operation::MovsxByte, {}, write);
        add(withModRm0F(0xbf), "MOVSX", { RegV, Rm16 }, Operation::MovsxWord, {}, write);
        m_entries.push_back({ OpcodeMap::Extended0F, 0xc3, MandatoryPrefix::None, ModRm::Memory, -1, -1, "MOVNTI",
            { Mem32, Reg32 }, Operation::Movnti, 0, 0, 0, static_cast<uint16_t>(write), Feature::Sse2 });
        add(withModRm(0x8d, -1, ModRm::Memory), "LEA", { RegV, Memory }, Operation::Lea, {}, write);
        add(plain(0xd7), "XLAT", {}, Operation::Xlat, {}, userTestable);
    }

    void addExchanges()
    {
        const unsigned access = userTestable | readWrite;
        add(withModRm(0x86), "XCHG", { Rm8, Reg8 }, Operation::Xchg, {}, access | lockable);
        add(withModRm(0x87), "XCHG", { RmV, RegV }, Operation::Xchg, {}, access | lockable);
        // 90 exchanges EAX with itself, and so is NOP (with F3: PAUSE).
        add(plain(0x90), "XCHG", { AccumulatorV, OpcodeRegV }, Operation::Xchg, {}, access);
        const Flags all { 0, arithmetic, 0 };
        add(withModRm0F(0xb0), "CMPXCHG", { Rm8, Reg8 }, Operation::Cmpxchg, all, access | lockable);
        add(withModRm0F(0xb1), "CMPXCHG", { RmV, RegV }, Operation::Cmpxchg, all, access | lockable);
        add(withModRm0F(0xc0), "XADD", { Rm8, Reg8 }, Operation::Xadd, all, access | lockable);
        add(withModRm0F(0xc1), "XADD", { RmV, RegV }, Operation::Xadd, all, access | lockable);
        add(withModRm0F(0xc7, 1, ModRm::Memory), "CMPXCHG8B", { Mem64 }, Operation::Cmpxchg8b, { 0, zero, 0 },
            access | lockable, Feature::Cx8);
        add(plain0F(0xc8), "BSWAP", { OpcodeRegV }, Operation::Bswap, {}, access);
    }

    void addBitTests()
    {
        const Flags scan { 0, zero, carry | overflow | sign | auxiliary | parity };
        const Flags test { 0, carry, overflow | sign | auxiliary | parity };
        // The destination of a scan of zero stays as it was, so it is read.
        add(withModRm0F(0xbc), "BSF", { RegV, RmV }, Operation::Bsf, scan, userTestable | readWrite);
        add(withModRm0F(0xbd), "BSR", { RegV, RmV }, Operation::Bsr, scan, userTestable | readWrite);
        struct Group {
            std::string_view mnemonic;
            Operation operation;
            unsigned attributes;
        };
        const std::array<Group, 4> groups { {
            { "BT", Operation::Bt, userTestable | readsDestination },
            { "BTS", Operation::Bts, userTestable | readWrite | lockable },
            { "BTR", Operation::Btr, userTestable | readWrite | lockable },
            { "BTC", Operation::Btc, userTestable | readWrite | lockable },
        } };
        for (unsigned n = 0; n < 4; ++n) {
            const auto& [name, operation, attributes] = groups[n];
            add(withModRm0F(0xa3 + 8 * n), name, { RmV, RegV }, operation, test, attributes);
            add(withModRm0F(0xba, 4 + static_cast<int>(n)), name, { RmV, Imm8 }, operation, test, attributes);
        }
    }

    void addConditionals()
    {
        static constexpr std::array<std::string_view, 16> set { "SETO", "SETNO", "SETB", "SETNB", "SETZ", "SETNZ",
            "SETBE", "SETNBE", "SETS", "SETNS", "SETP", "SETNP", "SETL", "SETNL", "SETLE", "SETNLE" };
        static constexpr std::array<std::string_view, 16> move { "CMOVO", "CMOVNO", "CMOVB", "CMOVNB", "CMOVZ",
            "CMOVNZ", "CMOVBE", "CMOVNBE", "CMOVS", "CMOVNS", "CMOVP", "CMOVNP", "CMOVL", "CMOVNL", "CMOVLE",
            "CMOVNLE" };
        static constexpr std::array<std::string_view, 16> jump { "JO", "JNO", "JB", "JNB", "JZ", "JNZ", "JBE", "JNBE",
            "JS", "JNS", "JP", "JNP", "JL", "JNL", "JLE", "JNLE" };
        for (unsigned n = 0; n < 16; ++n) {
            const Flags flags { flagsOfCondition(n), 0, 0 };
            add(withModRm0F(0x90 + n), set[n], { Rm8 }, Operation::Setcc, flags, userTestable | writesDestination);
            add(withModRm0F(0x40 + n), move[n], { RegV, RmV }, Operation::Cmovcc, flags, userTestable | readWrite,
                Feature::Cmov);
            add(plain(0x70 + n), jump[n], { Rel8 }, Operation::Jcc, flags, endsBlock | userTestable);
            add(plain0F(0x80 + n), jump[n], { RelV }, Operation::Jcc, flags, endsBlock | userTestable);
        }
    }

    void addNearTransfers()
    {
        add(plain(0xeb), "JMP", { Rel8 }, Operation::JmpRelative, {}, endsBlock | userTestable);
        add(plain(0xe9), "JMP", { RelV }, Operation::JmpRelative, {}, endsBlock | userTestable);
        add(withModRm(0xff, 4), "JMP", { RmV }, Operation::JmpIndirect, {},
            endsBlock | userTestable | readsDestination);
        add(plain(0xe8), "CALL", { RelV }, Operation::CallRelative, {}, endsBlock | userTestable);
        add(withModRm(0xff, 2), "CALL", { RmV }, Operation::CallIndirect, {},
            endsBlock | userTestable | readsDestination);
        add(plain(0xc3), "RET", {}, Operation::RetNear, {}, endsBlock | userTestable);
        add(plain(0xc2), "RET", { Imm16 }, Operation::RetNear, {}, endsBlock | userTestable);
        add(plain(0xe0), "LOOPNE", { Rel8 }, Operation::Loopne, { zero, 0, 0 }, endsBlock | userTestable);
        add(plain(0xe1), "LOOPE", { Rel8 }, Operation::Loope, { zero, 0, 0 }, endsBlock | userTestable);
        add(plain(0xe2), "LOOP", { Rel8 }, Operation::Loop, {}, endsBlock | userTestable);
        add(plain(0xe3), "JCXZ", { Rel8 }, Operation::Jcxz, {}, endsBlock | userTestable);
    }

    void addStack()
    {
        add(plain(0x50), "PUSH", { OpcodeRegV }, Operation::Push, {}, userTestable | readsDestination);
        add(plain(0x58), "POP", { OpcodeRegV }, Operation::Pop, {}, userTestable | writesDestination);
        add(plain(0x60), "PUSHA", {}, Operation::Pusha, {}, userTestable);
        add(plain(0x61), "POPA", {}, Operation::Popa, {}, userTestable);
        add(plain(0x68), "PUSH", { ImmV }, Operation::Push, {}, userTestable);
        add(plain(0x6a), "PUSH", { Imm8Signed }, Operation::Push, {}, userTestable);
        add(withModRm(0x8f, 0), "POP", { RmV }, Operation::Pop, {}, userTestable | writesDestination);
        add(withModRm(0xff, 6), "PUSH", { RmV }, Operation::Push, {}, userTestable | readsDestination);
        add(plain(0xc8), "ENTER", { Imm16, Imm8 }, Operation::Enter, {}, userTestable);
        add(plain(0xc9), "LEAVE", {}, Operation::Leave, {}, userTestable);
    }

    void addAccumulatorAndFlags()
    {
        constexpr uint32_t low = arithmetic & ~overflow;
        add(plain(0x98), "CBW", {}, Operation::SignExtendAccumulator, {}, userTestable);
        add(plain(0x99), "CWD", {}, Operation::SignExtendIntoDx, {}, userTestable);
        add(plain(0x9e), "SAHF", {}, Operation::Sahf, { 0, low, 0 }, userTestable);
        add(plain(0x9f), "LAHF", {}, Operation::Lahf, { low, 0, 0 }, userTestable);
        add(plain(0xf5), "CMC", {}, Operation::Cmc, { carry, carry, 0 }, userTestable);
        add(plain(0xf8), "CLC", {}, Operation::Clc, { 0, carry, 0 }, userTestable);
        add(plain(0xf9), "STC", {}, Operation::Stc, { 0, carry, 0 }, userTestable);
        add(plain(0xfc), "CLD", {}, Operation::Cld, { 0, direction, 0 }, userTestable);
        add(plain(0xfd), "STD", {}, Operation::Std, { 0, direction, 0 }, userTestable);
        add(plain(0xd6), "SALC", {}, Operation::Salc, { carry, 0, 0 }, userTestable);
    }

    void addStrings()
    {
        const Flags move { direction, 0, 0 };
        const Flags compare { direction | arithmetic, arithmetic, 0 }; // repeated 0 times they keep the flags
        const unsigned write = repeatable | userTestable | writesDestination;
        const unsigned read = repeatable | userTestable | readsDestination;
        add(plain(0xa4), "MOVS", { StringDestinationB, StringSourceB }, Operation::Movs, move, write);
        add(plain(0xa5), "MOVS", { StringDestinationV, StringSourceV }, Operation::Movs, move, write);
        add(plain(0xa6), "CMPS", { StringSourceB, StringDestinationB }, Operation::Cmps, compare, read);
        add(plain(0xa7), "CMPS", { StringSourceV, StringDestinationV }, Operation::Cmps, compare, read);
        add(plain(0xaa), "STOS", { StringDestinationB, Al }, Operation::Stos, move, write);
        add(plain(0xab), "STOS", { StringDestinationV, AccumulatorV }, Operation::Stos, move, write);
        add(plain(0xac), "LODS", { Al, StringSourceB }, Operation::Lods, move, write);
        add(plain(0xad), "LODS", { AccumulatorV, StringSourceV }, Operation::Lods, move, write);
        add(plain(0xae), "SCAS", { Al, StringDestinationB }, Operation::Scas, compare, read);
        add(plain(0xaf), "SCAS", { AccumulatorV, StringDestinationV }, Operation::Scas, compare, read);
    }

    void addDecimal()
    {
        const Flags packed { carry | auxiliary, carry | auxiliary | sign | zero | parity, overflow };
        const Flags unpacked { auxiliary, auxiliary | carry, overflow | sign | zero | parity };
        const Flags scaled { 0, sign | zero | parity, overflow | auxiliary | carry };
        add(plain(0x27), "DAA", {}, Operation::Daa, packed, userTestable);
        add(plain(0x2f), "DAS", {}, Operation::Das, packed, userTestable);
        add(plain(0x37), "AAA", {}, Operation::Aaa, unpacked, userTestable);
        add(plain(0x3f), "AAS", {}, Operation::Aas, unpacked, userTestable);
        add(plain(0xd4), "AAM", { Imm8 }, Operation::Aam, scaled, userTestable);
        add(plain(0xd5), "AAD", { Imm8 }, Operation::Aad, scaled, userTestable);
    }

    void addHintsAndTraps()
    {
        add(withModRm0F(0x0d), "NOP", { RmV }, Operation::Nop, {}, 0,
            Feature::Hints); // AMD's prefetches: with a register #UD there
        // The range that Intel reserves for hints: 0F 18 prefetches, 0F 1F is the recommended long NOP.
        for (unsigned byte = 0x18; byte <= 0x1f; ++byte)
            add(withModRm0F(byte), byte == 0x18 ? "PREFETCH" : "NOP", { RmV }, Operation::Nop, {}, userTestable,
                Feature::Hints);
        add(withModRm(0x62, -1, ModRm::Memory), "BOUND", { RegV, Memory }, Operation::Bound, {}, readsDestination);
        add(plain0F(0x0b), "UD2", {}, Operation::Ud, {}, endsBlock);
        add(withModRm0F(0xb9), "UD1", { RegV, RmV }, Operation::Ud, {}, endsBlock);
        add(withModRm0F(0xff), "UD0", { RegV, RmV }, Operation::Ud, {}, endsBlock);
    }

    std::vector<InstructionEntry> m_entries;
};

} // namespace

std::span<const InstructionEntry> generalInstructions()
{
    static const Table table;
    return table.entries();
}

} // namespace namsan
