// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/instruction.h"
#include "vmm/engine/instruction_table.h"
#include "vmm/engine/interpret/handler_table.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace namsan {

// Bytes to Instruction, by lookup tables built once from the instruction table. Intel SDM volume 2, chapter 2.
//
// Bytes that are no instruction decode as well: to one that raises the fault which they deserve (#UD, or #GP where they
// are more than 15). Immutable once made; any thread.
class Decoder {
public:
    static constexpr unsigned longestInstruction = 15;

    // Knows the instructions of a processor that has these features; others are undefined.
    explicit Decoder(const FeatureSet& = FeatureSet::everything());

    enum class Outcome {
        Decoded,
        NeedsMore, // the bytes end inside the instruction
    };

    // Decodes the instruction at the front of bytes, of which no more are looked at than it needs.
    // code32: CS.D, which gives the default operand and address size.
    Outcome decode(std::span<const uint8_t> bytes, bool code32, Instruction&) const;

    std::span<const InstructionEntry* const> entries() const { return m_entries; }

private:
    enum class ImmediateKind : uint8_t { None, Byte, SignedByte, Word, OperandSized, AddressSized };

    // What an entry means to the decoder.
    struct Plan {
        const InstructionEntry* entry = nullptr;
        std::array<std::array<Handler, 2>, 2> handlers {}; // by operand size (2, 4 bytes), then form
        ImmediateKind immediate = ImmediateKind::None;
        ImmediateKind secondImmediate = ImmediateKind::None;
        bool hasModRm = false;
        bool modIsIgnored = false; // MOV to and from control and debug registers: always a register
        bool registerInOpcode = false;
        bool impliedMemory = false; // strings, XLAT: a segment prefix counts though there is no ModRM
    };

    enum PrefixClass : uint8_t { NoPrefix, Prefix66, PrefixF3, PrefixF2 };
    struct Cursor;
    struct Prefixes;

    static constexpr size_t mapCount = 4;
    static constexpr uint16_t undefined = 0; // index into m_plans
    static constexpr uint16_t byRm = 1 << 15; // the rest is an index into m_byRm

    static size_t cellOf(OpcodeMap map, uint8_t opcode, unsigned prefix, bool isRegister, unsigned reg)
    {
        return ((((static_cast<size_t>(map) << 8 | opcode) << 2 | prefix) << 1 | (isRegister ? 1u : 0u)) << 3) | reg;
    }
    void addEntry(const InstructionEntry&, const HandlerTable&);
    void fillCells(const InstructionEntry&, uint8_t opcode, uint16_t plan);
    void place(size_t cell, int rmExtension, uint16_t plan);

    bool takeModRm(Cursor&, const Prefixes&, uint8_t modRm, Instruction&) const;
    static bool takeAddress16(Cursor&, uint8_t modRm, Instruction&);
    static bool takeAddress32(Cursor&, uint8_t modRm, Instruction&);
    static bool takeImmediate(Cursor&, ImmediateKind, const Instruction&, uint32_t& value);
    static bool lockIsLegal(const Instruction&);
    Outcome refuse(const Cursor&, Instruction&, bool outOfBytes) const;

    std::vector<const InstructionEntry*> m_entries;
    std::vector<Plan> m_plans;
    std::vector<uint16_t> m_cells; // plan by cellOf()
    std::vector<std::array<uint16_t, 8>> m_byRm;
    std::array<std::array<bool, 256>, mapCount> m_hasModRm {};
    std::array<std::array<bool, 256>, mapCount> m_modIsIgnored {};
    std::array<bool, mapCount> m_mapExists {}; // has any instruction
};

} // namespace namsan
