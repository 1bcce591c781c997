// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/segment_loading.h"
#include "vmm/engine/interpret/stack_access.h"
#include "vmm/engine/interpret/system_handlers.h"

namespace namsan {

namespace {

// ES, CS, SS, DS, FS, GS; the encodings 6 and 7 are none.
SegmentIndex namedSegment(unsigned encoding)
{
    if (encoding > Gs)
        throwInvalidOpcode();
    return static_cast<SegmentIndex>(encoding);
}

SegmentIndex segmentInOpcode(const Instruction& instruction)
{
    return static_cast<SegmentIndex>(instruction.opcode >> 3 & 7);
}

// MOV SS and POP SS hold interrupts and debug traps off for one instruction, so that ESP can follow. Intel SDM volume
// 3, 6.8.3.
void shadowAfterStackSegment(Processor& processor, SegmentIndex index)
{
    if (index != Ss)
        return;
    processor.interruptShadow = true;
    processor.trapShadow = true;
    processor.leaveBlock = true;
}

void moveFromSegment(Processor& processor, const Instruction& instruction)
{
    const uint16_t selector = processor.segments[namedSegment(instruction.reg)].state.selector;
    if (instruction.rmIsMemory)
        processor.writeOperand<uint16_t>(instruction, selector);
    else if (instruction.operandSize == 2)
        processor.gpr[instruction.rm] = (processor.gpr[instruction.rm] & 0xffff0000) | selector;
    else
        processor.gpr[instruction.rm] = selector;
}

void moveToSegment(Processor& processor, const Instruction& instruction)
{
    const SegmentIndex index = namedSegment(instruction.reg);
    if (index == Cs)
        throwInvalidOpcode();
    const auto selector = instruction.rmIsMemory ? processor.readOperand<uint16_t>(instruction)
                                                 : static_cast<uint16_t>(processor.gpr[instruction.rm]);
    loadSegment(processor, index, selector);
    shadowAfterStackSegment(processor, index);
}

void pushSegment(Processor& processor, const Instruction& instruction)
{
    StackPusher stack(processor);
    stack.push(processor.segments[segmentInOpcode(instruction)].state.selector, instruction.operandSize);
    processor.gpr[Esp] = stack.stackPointer();
}

void popSegment(Processor& processor, const Instruction& instruction)
{
    const SegmentIndex index = segmentInOpcode(instruction);
    StackPopper stack(processor);
    const auto selector = static_cast<uint16_t>(stack.pop(instruction.operandSize));
    loadSegment(processor, index, selector);
    processor.gpr[Esp] = stack.stackPointer();
    shadowAfterStackSegment(processor, index);
}

SegmentIndex segmentOfFarPointerLoad(const Instruction& instruction)
{
    switch (instruction.opcode) {
    case 0xc4:
        return Es;
    case 0xc5:
        return Ds;
    case 0xb2:
        return Ss;
    case 0xb4:
        return Fs;
    default:
        return Gs;
    }
}

// LES, LDS, LSS, LFS, LGS. No interrupt shadow: both halves of SS:ESP come together.
void loadFarPointer(Processor& processor, const Instruction& instruction)
{
    const auto segment = static_cast<SegmentIndex>(instruction.segment);
    const uint32_t offset = processor.offsetOf(instruction);
    const uint32_t linear = processor.linearForRead(segment, offset, instruction.operandSize + 2u);
    const auto selector = processor.memory.read<uint16_t>(linear + instruction.operandSize);
    uint32_t& destination = processor.gpr[instruction.reg];
    const uint32_t loaded = instruction.operandSize == 4
        ? processor.memory.read<uint32_t>(linear)
        : (destination & 0xffff0000) | processor.memory.read<uint16_t>(linear);
    loadSegment(processor, segmentOfFarPointerLoad(instruction), selector);
    destination = loaded;
}

} // namespace

void bindSegmentRegisterInstructions(HandlerTable& table)
{
    table.bind(Operation::MoveFromSegment, moveFromSegment);
    table.bind(Operation::MoveToSegment, moveToSegment);
    table.bind(Operation::PushSegment, pushSegment);
    table.bind(Operation::PopSegment, popSegment);
    table.bind(Operation::LoadFarPointer, loadFarPointer);
}

} // namespace namsan
