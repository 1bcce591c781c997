// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/interesting_values.h"
#include "vmm/engine/cpu_state.h"
#include "vmm/engine/instruction_table.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace namsan {

// What a random instruction has around it: where it may reach and go.
class Surroundings {
public:
    virtual ~Surroundings() = default;

    virtual uint32_t operandAddress(InterestingValues&, unsigned room) = 0; // of so many bytes
    virtual uint32_t segmentBase(SegmentIndex) const { return 0; }
    virtual bool usesOtherSegments() const { return false; } // FS and GS
    // For a jump that is followed by after and reaches as far as that many bytes.
    virtual uint32_t jumpTarget(InterestingValues&, uint32_t after, uint32_t reach, bool backward) = 0;
};

// Writes random encodings of an entry of the instruction table that suit what the registers hold: memory operands are
// where the surroundings want them, jumps go where they allow.
class InstructionWriter {
public:
    using Registers = std::array<uint32_t, 9>; // as Processor::gpr

    InstructionWriter(InterestingValues& values, Surroundings& surroundings)
        : m_values(values)
        , m_surroundings(surroundings)
    {
    }

    const std::vector<uint8_t>& write(const InstructionEntry&, const Registers&, uint32_t eip);

    // The same with the memory operand, if there is one, at that place.
    const std::vector<uint8_t>& writeAt(const InstructionEntry&, const Registers&, uint32_t eip, uint32_t address);

private:
    void emit(uint32_t byte) { m_bytes.push_back(static_cast<uint8_t>(byte)); }
    void emitValue(uint32_t value, unsigned size);
    void emitPrefixes(const InstructionEntry&, bool memory, const Registers&);
    void emitMemory(unsigned reg, const Registers&, uint32_t address);
    void emitDisplacement(unsigned mod, uint32_t displacement);
    void emitImmediate(const InstructionEntry&, Operand, uint32_t eip);
    void emitJump(const InstructionEntry&, unsigned size, uint32_t eip);

    InterestingValues& m_values;
    Surroundings& m_surroundings;
    std::vector<uint8_t> m_bytes;
    bool m_operand16 = false;
    std::optional<SegmentIndex> m_override;
};

} // namespace namsan
