// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/x87_handlers.h"
#include "vmm/engine/interpret/x87_host.h"
#include "vmm/engine/interpret/x87_stack.h"

// FADD, FSUB, FSUBR, FMUL, FDIV, FDIVR in all their forms. Intel SDM volume 1, 8.3.5.
namespace namsan {

namespace {

// An operation on the host in each form of its second operand.
#define NAMSAN_X87_ARITHMETIC(Name, mnemonic)                                                                          \
    struct Name {                                                                                                      \
        static constexpr auto onRegister = NAMSAN_X87_BINARY("f" mnemonic " %%st(1), %%st");                           \
        static constexpr auto onSingle = NAMSAN_X87_WITH_MEMORY(uint32_t, "f" mnemonic "s");                           \
        static constexpr auto onDouble = NAMSAN_X87_WITH_MEMORY(uint64_t, "f" mnemonic "l");                           \
        static constexpr auto onInteger16 = NAMSAN_X87_WITH_MEMORY(uint16_t, "fi" mnemonic "s");                       \
        static constexpr auto onInteger32 = NAMSAN_X87_WITH_MEMORY(uint32_t, "fi" mnemonic "l");                       \
    }
NAMSAN_X87_ARITHMETIC(Add, "add");
NAMSAN_X87_ARITHMETIC(Multiply, "mul");
NAMSAN_X87_ARITHMETIC(Subtract, "sub");
NAMSAN_X87_ARITHMETIC(SubtractReversed, "subr");
NAMSAN_X87_ARITHMETIC(Divide, "div");
NAMSAN_X87_ARITHMETIC(DivideReversed, "divr");

template <auto host, class T> void onOperand(Processor& processor, const Instruction& instruction)
{
    X87 x87(processor);
    const T operand = processor.readOperand<T>(instruction);
    notePointers(processor, instruction);
    if (x87.empty(0)) {
        if (x87.underflow())
            x87.setRegister(0, X87::indefinite);
        return;
    }
    HostX87 lent(x87.control());
    x87.take(host(x87.st(0), operand), x87_status::c1);
}

template <class Operation> void fromMemory(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    switch (instruction.opcode) {
    case 0xd8:
        return onOperand<Operation::onSingle, uint32_t>(processor, instruction);
    case 0xda:
        return onOperand<Operation::onInteger32, uint32_t>(processor, instruction);
    case 0xdc:
        return onOperand<Operation::onDouble, uint64_t>(processor, instruction);
    default:
        return onOperand<Operation::onInteger16, uint16_t>(processor, instruction);
    }
}

enum class Pop : bool { No, Yes };

template <class Operation, Pop pop>
void betweenRegisters(Processor& processor, const Instruction& instruction, unsigned destination, unsigned source)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    bool done;
    if (x87.empty(destination) || x87.empty(source)) {
        done = x87.underflow();
        if (done)
            x87.setRegister(destination, X87::indefinite);
    } else {
        HostX87 lent(x87.control());
        const uint16_t status = Operation::onRegister(x87.st(destination), x87.st(source));
        x87.take(status, x87_status::c1);
        done = !x87.unmasked(status & x87_status::beforeComputing);
    }
    if (pop == Pop::Yes && done)
        x87.pop();
}

template <class Operation> void intoTop(Processor& processor, const Instruction& instruction)
{
    betweenRegisters<Operation, Pop::No>(processor, instruction, 0, instruction.rm);
}
template <class Operation> void fromTop(Processor& processor, const Instruction& instruction)
{
    betweenRegisters<Operation, Pop::No>(processor, instruction, instruction.rm, 0);
}
template <class Operation> void fromTopAndPop(Processor& processor, const Instruction& instruction)
{
    betweenRegisters<Operation, Pop::Yes>(processor, instruction, instruction.rm, 0);
}

template <class HostOperation> void bindAll(HandlerTable& table, Operation plain, Operation into, Operation popping)
{
    for (const unsigned width : { 1u, 2u, 4u }) {
        table.bind(plain, width, RmForm::Memory, fromMemory<HostOperation>);
        table.bind(plain, width, RmForm::Register, intoTop<HostOperation>);
    }
    table.bind(into, fromTop<HostOperation>);
    table.bind(popping, fromTopAndPop<HostOperation>);
}

} // namespace

void bindX87Arithmetic(HandlerTable& table)
{
    bindAll<Add>(table, Operation::Fadd, Operation::FaddInto, Operation::Faddp);
    bindAll<Multiply>(table, Operation::Fmul, Operation::FmulInto, Operation::Fmulp);
    bindAll<Subtract>(table, Operation::Fsub, Operation::FsubInto, Operation::Fsubp);
    bindAll<SubtractReversed>(table, Operation::Fsubr, Operation::FsubrInto, Operation::Fsubrp);
    bindAll<Divide>(table, Operation::Fdiv, Operation::FdivInto, Operation::Fdivp);
    bindAll<DivideReversed>(table, Operation::Fdivr, Operation::FdivrInto, Operation::Fdivrp);
}

} // namespace namsan
