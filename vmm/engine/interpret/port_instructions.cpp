// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/debug_registers.h"
#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/system_handlers.h"
#include "vmm/engine/interpret/task_state.h"

namespace namsan {

namespace {

// Bit 0 of each of these opcodes chooses between a byte and the operand size.
Width widthOf(const Instruction& instruction)
{
    return instruction.opcode & 1 ? static_cast<Width>(instruction.operandSize) : Width::Byte;
}

// Bit 3 of IN's and OUT's opcodes chooses between an immediate port and DX.
uint16_t portOf(const Processor& processor, const Instruction& instruction)
{
    return instruction.opcode & 8 ? static_cast<uint16_t>(processor.gpr[Edx])
                                  : static_cast<uint16_t>(instruction.immediate & 0xff);
}

uint32_t readPort(Processor& processor, uint16_t port, Width width)
{
    processor.counters.portReads.add();
    if (processor.breakpointsArmed)
        notePortAccess(processor, port, width);
    return processor.bus.portIn(port, width) & allOnes(width);
}

void writePort(Processor& processor, uint16_t port, Width width, uint32_t value)
{
    processor.counters.portWrites.add();
    if (processor.breakpointsArmed)
        notePortAccess(processor, port, width);
    processor.bus.portOut(port, width, value & allOnes(width));
}

// Whatever a device does about an access (raise an interrupt, reset, switch A20) is seen before the next instruction.
void input(Processor& processor, const Instruction& instruction)
{
    const Width width = widthOf(instruction);
    const uint16_t port = portOf(processor, instruction);
    checkPortPermission(processor, port, width);
    const uint32_t value = readPort(processor, port, width);
    processor.gpr[Eax] = (processor.gpr[Eax] & ~allOnes(width)) | value;
    processor.leaveBlock = true;
}

void output(Processor& processor, const Instruction& instruction)
{
    const Width width = widthOf(instruction);
    const uint16_t port = portOf(processor, instruction);
    checkPortPermission(processor, port, width);
    writePort(processor, port, width, processor.gpr[Eax]);
    processor.leaveBlock = true;
}

uint32_t readMemory(Processor& processor, uint32_t linear, Width width)
{
    switch (width) {
    case Width::Byte:
        return processor.memory.read<uint8_t>(linear);
    case Width::Word:
        return processor.memory.read<uint16_t>(linear);
    default:
        return processor.memory.read<uint32_t>(linear);
    }
}

void writeMemory(Processor& processor, uint32_t linear, Width width, uint32_t value)
{
    switch (width) {
    case Width::Byte:
        return processor.memory.write<uint8_t>(linear, static_cast<uint8_t>(value));
    case Width::Word:
        return processor.memory.write<uint16_t>(linear, static_cast<uint16_t>(value));
    default:
        return processor.memory.write<uint32_t>(linear, value);
    }
}

void advance(Processor& processor, const Instruction& instruction, uint32_t& index, Width width)
{
    const uint32_t step = processor.otherFlags & eflags::direction ? 0u - bytesOf(width) : bytesOf(width);
    index = (index & ~instruction.addressMask) | ((index + step) & instruction.addressMask);
}

// The destination is looked at before the port is read: what a device gives is never lost to a page fault.
void inputString(Processor& processor, const Instruction& instruction)
{
    const Width width = widthOf(instruction);
    const auto port = static_cast<uint16_t>(processor.gpr[Edx]);
    checkPortPermission(processor, port, width);
    const uint32_t linear = processor.linearForWrite(Es, processor.gpr[Edi] & instruction.addressMask, bytesOf(width));
    processor.memory.probeWrite(linear, bytesOf(width));
    writeMemory(processor, linear, width, readPort(processor, port, width));
    advance(processor, instruction, processor.gpr[Edi], width);
}

void outputString(Processor& processor, const Instruction& instruction)
{
    const Width width = widthOf(instruction);
    const auto port = static_cast<uint16_t>(processor.gpr[Edx]);
    checkPortPermission(processor, port, width);
    const uint32_t linear = processor.linearForRead(
        static_cast<SegmentIndex>(instruction.segment), processor.gpr[Esi] & instruction.addressMask, bytesOf(width));
    writePort(processor, port, width, readMemory(processor, linear, width));
    advance(processor, instruction, processor.gpr[Esi], width);
}

// So many elements are moved before interrupts get their turn; then EIP stays at the instruction, and RF tells that it
// has begun. Intel SDM volume 3, 17.3.1.1 and 17.3.1.4.
constexpr unsigned elementsAtOnce = 64;

template <void (*moveElement)(Processor&, const Instruction&)>
void repeated(Processor& processor, const Instruction& instruction)
{
    processor.leaveBlock = true;
    if (!instruction.rep && !instruction.repne) {
        moveElement(processor, instruction);
        return;
    }
    const uint32_t mask = instruction.addressMask;
    uint32_t& count = processor.gpr[Ecx];
    const bool traps = (processor.otherFlags & eflags::trap) || processor.breakpointsArmed;
    for (unsigned moved = 0; count & mask; ++moved) {
        if (moved == (traps ? 1 : elementsAtOnce)) {
            processor.nextEip = processor.eip;
            processor.otherFlags |= eflags::resume;
            return;
        }
        // A fault here leaves the registers as after the last whole element, and the instruction goes on from there.
        moveElement(processor, instruction);
        count = (count & ~mask) | ((count - 1) & mask);
    }
}

} // namespace

void bindPortInstructions(HandlerTable& table)
{
    table.bind(Operation::In, input);
    table.bind(Operation::Out, output);
    table.bind(Operation::Ins, repeated<inputString>);
    table.bind(Operation::Outs, repeated<outputString>);
}

} // namespace namsan
