// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/instruction.h"
#include "vmm/engine/operation.h"

#include <array>

namespace namsan {

enum class RmForm : uint8_t { Register, Memory };

// Which function carries out an operation: one for all its encodings, or one for each width (1, 2, 4 bytes) of its
// main operand and for each form (ModRM.rm is a register, or memory). Filled once, then only read; any thread.
class HandlerTable {
public:
    // Chooses among handlers made for single encodings, for speed: by their operands, or the condition in the opcode.
    using Chooser = Handler (*)(const InstructionEntry&, unsigned width, RmForm);

    HandlerTable(); // with every implemented operation bound

    void bind(Operation, Handler); // all widths, both forms
    void bind(Operation, unsigned width, Handler); // both forms
    void bind(Operation, unsigned width, RmForm, Handler);
    void bind(Operation, Chooser);

    // Never null: an operation without a handler raises #UD, as Operation::Undefined does.
    Handler find(Operation, unsigned width, RmForm) const;
    Handler find(const InstructionEntry&, unsigned width, RmForm) const;

private:
    struct Slots {
        std::array<std::array<Handler, 2>, 3> byWidthAndForm {};
        Chooser chooser = nullptr;
    };
    std::array<Slots, static_cast<size_t>(Operation::Count)> m_slots {};
};

// The width in bytes by which an encoding's handler is chosen: that of its first operand that has one of its own
// (immediates, DX and CL have not), else the operand size.
unsigned mainWidth(const InstructionEntry&, unsigned operandSize);

// Each beside its handlers.
void bindGeneralHandlers(HandlerTable&);
void bindSystemHandlers(HandlerTable&);
void bindX87Handlers(HandlerTable&);
void bindSimdHandlers(HandlerTable&);

} // namespace namsan
