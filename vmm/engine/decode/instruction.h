// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/instruction_table.h"

#include <cstdint>

namespace namsan {

struct Processor;
struct Instruction;

// Carries out one decoded instruction. Whatever can fault comes before whatever changes the guest's registers; a fault
// is thrown (fault.h) and leaves the state as it was before the instruction.
using Handler = void (*)(Processor&, const Instruction&);

// One decoded instruction, ready to run: everything that can be known before it runs has been worked out.
//
// A memory operand's offset is (gpr[base] + (gpr[index] << scale) + displacement) & addressMask; registers that are
// not there are number 8, which Processor keeps at zero.
struct Instruction {
    static constexpr uint8_t noRegister = 8;

    Handler execute = nullptr;
    const InstructionEntry* entry = nullptr;
    uint32_t immediate = 0; // sign-extended as the operand asks
    uint32_t displacement = 0;
    uint32_t addressMask = 0xffffffff; // 0xffff with 16-bit addresses
    uint16_t immediate2 = 0; // selector of a far pointer, second immediate of ENTER
    uint8_t length = 0; // bytes, 1 to 15
    uint8_t operandSize = 4; // bytes: what V operands are, 2 or 4
    uint8_t reg = 0; // ModRM.reg, or the register of OpcodeReg operands
    uint8_t rm = 0; // ModRM.rm where it names a register
    bool rmIsMemory = false;
    uint8_t base = noRegister;
    uint8_t index = noRegister;
    uint8_t scale = 0; // log2
    uint8_t segment = 0; // SegmentIndex of the memory operand: the default one or the prefix's
    uint8_t opcode = 0; // the last opcode byte: a condition is in its low four bits
    uint8_t modRm = 0; // the whole byte, for the x87's record of its last opcode

    bool lock : 1 = false;
    bool rep : 1 = false; // F3
    bool repne : 1 = false; // F2
    bool address16 : 1 = false;
};

} // namespace namsan
