// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/interesting_values.h"
#include "tests/differential/native_case.h"
#include "vmm/engine/instruction_table.h"

#include <vector>

namespace namsan {

// Makes random encodings of one entry of the instruction table, with random operands for them: all forms of ModRM and
// SIB, the prefixes that the entry allows, and a state before in which the operands are where the case can watch them.
class CaseGenerator {
public:
    explicit CaseGenerator(uint64_t seed)
        : m_values(seed)
    {
    }

    NativeCase make(const InstructionEntry&);

private:
    // Where ModRM's memory operand is, or would be, in this case.
    struct Target {
        bool memory = false;
        uint32_t address = 0;
        uint8_t rm = 0; // the register, if it is none
        uint8_t reg = 0; // ModRM.reg
    };

    void makeState(NativeState&);
    void makeX87(FxsaveImage&);
    void makeSse(FxsaveImage&);

    static bool reachesByRegister(const InstructionEntry&, const Target&);

    void emit(uint8_t byte) { m_bytes.push_back(byte); }
    template <class T> void emitValue(T value);
    void emitPrefixes(const InstructionEntry&, bool memory);
    void emitModRm(const InstructionEntry&, NativeState&, Target&);
    void emitSib(NativeState&, uint8_t mod, uint8_t reg, uint32_t address);
    void emitImmediates(const InstructionEntry&);
    void emitJump(unsigned size);

    uint32_t targetAddress(const InstructionEntry&);
    void tame(const InstructionEntry&, NativeState&, const Target&);
    void tameTransfers(const InstructionEntry&, NativeState&, const Target&);

    InterestingValues m_values;
    std::vector<uint8_t> m_bytes;
    bool m_operand16 = false;
    uint32_t m_addressRegisters = 0; // general registers that ModRM's address is made of, a bit each
};

} // namespace namsan
