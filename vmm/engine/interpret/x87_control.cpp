// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/guest_operands.h"
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/x87_environment.h"
#include "vmm/engine/interpret/x87_handlers.h"
#include "vmm/engine/interpret/x87_stack.h"

// Control and status words, environment and whole state, WAIT. Intel SDM volume 1, 8.1.10, 8.3.11 and 8.3.12.
namespace namsan {

namespace {

constexpr unsigned registerBytes = 10;
constexpr unsigned largestState = 28 + 8 * registerBytes;

X87EnvironmentForm formOf(const Processor& processor, const Instruction& instruction)
{
    return { instruction.operandSize == 4, !processor.protectedMode() || processor.virtual8086() };
}

void loadControl(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87(processor).setControl(processor.readOperand<uint16_t>(instruction));
}

void storeControl(Processor& processor, const Instruction& instruction)
{
    requireX87(processor);
    processor.writeOperand<uint16_t>(instruction, X87(processor).control());
}

void storeStatus(Processor& processor, const Instruction& instruction)
{
    requireX87(processor);
    processor.writeOperand<uint16_t>(instruction, X87(processor).status());
}

void storeStatusInAx(Processor& processor, const Instruction&)
{
    requireX87(processor);
    processor.gpr[Eax] = (processor.gpr[Eax] & 0xffff0000) | X87(processor).status();
}

void clearExceptions(Processor& processor, const Instruction&)
{
    requireX87(processor);
    X87 x87(processor);
    x87.setStatus(x87.status() & (x87_status::conditions | x87_status::topMask));
}

void initialize(Processor& processor, const Instruction&)
{
    requireX87(processor);
    X87 x87(processor);
    x87.turnTo(0);
    x87.reset();
}

void nothing(Processor& processor, const Instruction&)
{
    requireX87(processor);
}

void waitingNothing(Processor& processor, const Instruction&)
{
    requireWaitingX87(processor);
}

void wait(Processor& processor, const Instruction&)
{
    requireWait(processor);
}

void loadEnvironment(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    const X87EnvironmentForm form = formOf(processor, instruction);
    std::array<uint8_t, largestState> bytes;
    const std::span environment = std::span(bytes).first(form.size());
    readBytes(processor, operandForRead(processor, instruction, form.size()), environment);

    X87 x87(processor);
    FxsaveImage loaded = x87.image();
    readEnvironment(loaded, form, environment);
    x87.turnTo(loaded.status >> x87_status::topShift);
    loaded.st = x87.image().st;
    x87.image() = loaded;
    x87.setStatus(loaded.status);
}

void storeEnvironment(Processor& processor, const Instruction& instruction)
{
    requireX87(processor);
    const X87EnvironmentForm form = formOf(processor, instruction);
    std::array<uint8_t, largestState> bytes;
    const std::span environment = std::span(bytes).first(form.size());
    X87 x87(processor);
    writeEnvironment(x87.image(), form, environment);
    writeBytes(processor, operandForWrite(processor, instruction, form.size()), environment);
    x87.setControl(x87.control() | x87_status::exceptions);
}

void save(Processor& processor, const Instruction& instruction)
{
    requireX87(processor);
    const X87EnvironmentForm form = formOf(processor, instruction);
    const unsigned size = form.size() + 8 * registerBytes;
    std::array<uint8_t, largestState> bytes;
    X87 x87(processor);
    writeEnvironment(x87.image(), form, std::span(bytes).first(form.size()));
    for (unsigned i = 0; i < 8; ++i)
        std::memcpy(&bytes[form.size() + i * registerBytes], &x87.st(i), registerBytes);
    writeBytes(processor, operandForWrite(processor, instruction, size), std::span(bytes).first(size));
    initialize(processor, instruction);
}

void restore(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    const X87EnvironmentForm form = formOf(processor, instruction);
    const unsigned size = form.size() + 8 * registerBytes;
    std::array<uint8_t, largestState> bytes;
    readBytes(processor, operandForRead(processor, instruction, size), std::span(bytes).first(size));
    X87 x87(processor);
    readEnvironment(x87.image(), form, std::span(bytes).first(form.size()));
    for (unsigned i = 0; i < 8; ++i)
        std::memcpy(static_cast<void*>(&x87.st(i)), &bytes[form.size() + i * registerBytes], registerBytes);
    x87.setStatus(x87.status());
}

} // namespace

void bindX87Control(HandlerTable& table)
{
    table.bind(Operation::Fldcw, loadControl);
    table.bind(Operation::Fnstcw, storeControl);
    table.bind(Operation::Fnstsw, storeStatus);
    table.bind(Operation::FnstswAx, storeStatusInAx);
    table.bind(Operation::Fnclex, clearExceptions);
    table.bind(Operation::Fninit, initialize);
    table.bind(Operation::FnopControl, nothing);
    table.bind(Operation::Fnop, waitingNothing);
    table.bind(Operation::Wait, wait);
    table.bind(Operation::Fldenv, loadEnvironment);
    table.bind(Operation::Fnstenv, storeEnvironment);
    table.bind(Operation::Fnsave, save);
    table.bind(Operation::Frstor, restore);
}

void bindX87Handlers(HandlerTable& table)
{
    bindX87Arithmetic(table);
    bindX87Comparisons(table);
    bindX87Functions(table);
    bindX87Moves(table);
    bindX87Control(table);
}

} // namespace namsan
