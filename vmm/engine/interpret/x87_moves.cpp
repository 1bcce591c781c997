// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/guest_operands.h"
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/x87_handlers.h"
#include "vmm/engine/interpret/x87_host.h"
#include "vmm/engine/interpret/x87_stack.h"

// Loads, stores and exchanges in every format. Intel SDM volume 1, 8.3.3 and 8.3.4.
namespace namsan {

namespace {

// -- loads ------------------------------------------------------------------------------------------------------

void pushOrOverflow(X87& x87, const Register80& value)
{
    if (x87.empty(7)) {
        x87.setConditions(x87_status::c1, 0);
        x87.push(value);
    } else if (x87.overflow()) {
        x87.push(X87::indefinite);
    }
}

template <auto host, class T> void load(Processor& processor, const Instruction& instruction)
{
    X87 x87(processor);
    T operand;
    if constexpr (sizeof(T) > sizeof(uint64_t))
        operand = read80(processor, instruction);
    else
        operand = processor.readOperand<T>(instruction);
    notePointers(processor, instruction);
    if (!x87.empty(7)) {
        if (x87.overflow())
            x87.push(X87::indefinite);
        return;
    }
    HostX87 lent(x87.control());
    Register80 value;
    const uint16_t status = host(value, operand);
    x87.take(status, x87_status::c1);
    if (status & x87_status::topMask)
        x87.push(value);
}

void loadReal(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    if (instruction.opcode == 0xd9)
        load<NAMSAN_X87_LOAD(uint32_t, "flds"), uint32_t>(processor, instruction);
    else
        load<NAMSAN_X87_LOAD(uint64_t, "fldl"), uint64_t>(processor, instruction);
}

void loadExtended(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    const Register80 value = read80(processor, instruction);
    notePointers(processor, instruction);
    pushOrOverflow(x87, value);
}

void loadInteger(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    if (instruction.opcode == 0xdb)
        load<NAMSAN_X87_LOAD(uint32_t, "fildl"), uint32_t>(processor, instruction);
    else if (instruction.reg == 0)
        load<NAMSAN_X87_LOAD(uint16_t, "filds"), uint16_t>(processor, instruction);
    else
        load<NAMSAN_X87_LOAD(uint64_t, "fildll"), uint64_t>(processor, instruction);
}

void loadDecimal(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    load<NAMSAN_X87_LOAD(Register80, "fbld"), Register80>(processor, instruction);
}

void loadRegister(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    if (x87.empty(instruction.rm)) {
        if (x87.underflow())
            x87.push(X87::indefinite);
        return;
    }
    const Register80 value = x87.st(instruction.rm);
    pushOrOverflow(x87, value);
}

// -- stores -----------------------------------------------------------------------------------------------------

enum class Pop : bool { No, Yes };

// In memory, where 80 bits are not padded.
template <class T> constexpr unsigned sizeOfOperand = sizeof(T) > sizeof(uint64_t) ? 10 : sizeof(T);

template <class T> void writeResult(Processor& processor, const Instruction& instruction, const T& value)
{
    if constexpr (sizeof(T) > sizeof(uint64_t))
        write80(processor, instruction, value);
    else
        processor.writeOperand<T>(instruction, value);
}

// indefinite: what a masked stack underflow stores.
template <auto host, class T>
void store(Processor& processor, const Instruction& instruction, Pop pop, const T& indefinite)
{
    X87 x87(processor);
    if (x87.empty(0)) {
        const bool masked = x87.control() & x87_status::invalid;
        if (masked)
            writeResult(processor, instruction, indefinite);
        else
            processor.memory.probeWrite(operandForWrite(processor, instruction, sizeOfOperand<T>), sizeOfOperand<T>);
        notePointers(processor, instruction);
        x87.underflow();
        if (masked && pop == Pop::Yes)
            x87.pop();
        return;
    }
    T result {};
    uint16_t status;
    {
        HostX87 lent(x87.control());
        status = host(x87.st(0), result);
    }
    const bool stored = !(status & x87_status::topMask);
    if (stored)
        writeResult(processor, instruction, result);
    else // the memory is looked at before the number
        processor.memory.probeWrite(operandForWrite(processor, instruction, sizeOfOperand<T>), sizeOfOperand<T>);
    notePointers(processor, instruction);
    x87.take(status, x87_status::c1);
    if (stored && pop == Pop::Yes)
        x87.pop();
}

template <Pop pop> void storeReal(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    if (instruction.opcode == 0xd9)
        store<NAMSAN_X87_STORE(uint32_t, "fstps"), uint32_t>(processor, instruction, pop, 0xffc00000);
    else
        store<NAMSAN_X87_STORE(uint64_t, "fstpl"), uint64_t>(processor, instruction, pop, 0xfff8000000000000);
}

void storeExtended(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    store<NAMSAN_X87_STORE(Register80, "fstpt"), Register80>(processor, instruction, Pop::Yes, X87::indefinite);
}

void storeDecimal(Processor& processor, const Instruction& instruction)
{
    constexpr Register80 indefinite { 0xc000000000000000, 0xffff, {} };
    requireWaitingX87(processor);
    store<NAMSAN_X87_STORE(Register80, "fbstp"), Register80>(processor, instruction, Pop::Yes, indefinite);
}

template <Pop pop> void storeInteger(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    if (instruction.opcode == 0xdb)
        store<NAMSAN_X87_STORE(uint32_t, "fistpl"), uint32_t>(processor, instruction, pop, 0x80000000);
    else if (instruction.reg == 7)
        store<NAMSAN_X87_STORE(uint64_t, "fistpll"), uint64_t>(processor, instruction, pop, 0x8000000000000000);
    else
        store<NAMSAN_X87_STORE(uint16_t, "fistps"), uint16_t>(processor, instruction, pop, 0x8000);
}

void storeTruncatedInteger(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    if (instruction.opcode == 0xdb)
        store<NAMSAN_X87_STORE(uint32_t, "fisttpl"), uint32_t>(processor, instruction, Pop::Yes, 0x80000000);
    else if (instruction.opcode == 0xdd)
        store<NAMSAN_X87_STORE(uint64_t, "fisttpll"), uint64_t>(processor, instruction, Pop::Yes, 0x8000000000000000);
    else
        store<NAMSAN_X87_STORE(uint16_t, "fisttps"), uint16_t>(processor, instruction, Pop::Yes, 0x8000);
}

template <Pop pop> void storeRegister(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    if (x87.empty(0)) {
        if (!x87.underflow())
            return;
        x87.setRegister(instruction.rm, X87::indefinite);
    } else {
        x87.setConditions(x87_status::c1, 0);
        x87.setRegister(instruction.rm, x87.st(0));
    }
    if (pop == Pop::Yes)
        x87.pop();
}

// The alias of FSTP that knows no stack underflow: an empty register is popped and nothing else.
void storeRegisterUnlessEmpty(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    if (!x87.empty(0))
        return storeRegister<Pop::Yes>(processor, instruction);
    notePointers(processor, instruction);
    x87.setConditions(x87_status::c1, 0);
    x87.pop();
}

// -- exchanges and the stack itself -----------------------------------------------------------------------------

void exchange(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    x87.setConditions(x87_status::c1, 0);
    const unsigned other = instruction.rm;
    if (x87.empty(0) || x87.empty(other)) {
        if (!x87.underflow())
            return;
        for (const unsigned i : { 0u, other })
            if (x87.empty(i))
                x87.setRegister(i, X87::indefinite);
    }
    const Register80 first = x87.st(0);
    x87.setRegister(0, x87.st(other));
    x87.setRegister(other, first);
}

void free(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    x87.setConditions(x87_status::c1, 0);
    x87.markEmpty(instruction.rm);
}

void freeAndPop(Processor& processor, const Instruction& instruction)
{
    free(processor, instruction);
    X87(processor).pop();
}

void incrementTop(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    x87.setConditions(x87_status::c1, 0);
    x87.turnUp();
}

void decrementTop(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    x87.setConditions(x87_status::c1, 0);
    x87.turnDown();
}

} // namespace

void bindX87Moves(HandlerTable& table)
{
    for (const unsigned width : { 1u, 2u, 4u }) {
        table.bind(Operation::Fld, width, RmForm::Memory, loadReal);
        table.bind(Operation::Fld, width, RmForm::Register, loadRegister);
        table.bind(Operation::Fst, width, RmForm::Memory, storeReal<Pop::No>);
        table.bind(Operation::Fst, width, RmForm::Register, storeRegister<Pop::No>);
        table.bind(Operation::Fstp, width, RmForm::Memory, storeReal<Pop::Yes>);
        table.bind(Operation::Fstp, width, RmForm::Register, storeRegister<Pop::Yes>);
    }
    table.bind(Operation::FstpIgnoringEmpty, storeRegisterUnlessEmpty);
    table.bind(Operation::FldExtended, loadExtended);
    table.bind(Operation::FstpExtended, storeExtended);
    table.bind(Operation::Fild, loadInteger);
    table.bind(Operation::Fist, storeInteger<Pop::No>);
    table.bind(Operation::Fistp, storeInteger<Pop::Yes>);
    table.bind(Operation::Fisttp, storeTruncatedInteger);
    table.bind(Operation::Fbld, loadDecimal);
    table.bind(Operation::Fbstp, storeDecimal);
    table.bind(Operation::Fxch, exchange);
    table.bind(Operation::Ffree, free);
    table.bind(Operation::Ffreep, freeAndPop);
    table.bind(Operation::Fincstp, incrementTop);
    table.bind(Operation::Fdecstp, decrementTop);
}

} // namespace namsan
