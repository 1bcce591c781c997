// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/far_transfers.h"

#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/flag_rules.h"
#include "vmm/engine/interpret/segment_loading.h"
#include "vmm/engine/interpret/stack_access.h"
#include "vmm/engine/interpret/task_state.h"
#include "vmm/engine/interpret/task_switch.h"

#include <array>
#include <utility>

namespace namsan {

namespace {

uint32_t offsetOfSize(uint32_t offset, unsigned operandSize)
{
    return operandSize == 2 ? offset & 0xffff : offset;
}

uint16_t withRpl(uint32_t selector, unsigned level)
{
    return static_cast<uint16_t>((selector & 0xfffc) | level);
}

void requireWithin(const SegmentState& code, uint32_t offset)
{
    if (offset > code.limit)
        throwGeneralProtection();
}

void requirePresent(const Descriptor& descriptor, uint32_t selector)
{
    if (!descriptor.present())
        throwSelectorFault(Exception::SegmentNotPresent, selector);
}

void go(Processor& processor, const SegmentState& code, uint32_t offset)
{
    processor.setSegment(Cs, code);
    processor.nextEip = offset;
}

// The code segment of a direct jump or call, which never changes the privilege level.
SegmentState directTarget(Processor& processor, uint16_t selector, const Descriptor& descriptor)
{
    const bool allowed = descriptor.isConformingCode()
        ? descriptor.dpl() <= processor.cpl
        : descriptor.isCode() && rplOf(selector) <= processor.cpl && descriptor.dpl() == processor.cpl;
    if (!allowed)
        throwSelectorFault(Exception::GeneralProtection, selector);
    requirePresent(descriptor, selector);
    return markAccessed(processor, withRpl(selector, processor.cpl), descriptor);
}

Descriptor fetchTarget(Processor& processor, uint16_t selector)
{
    if (isNull(selector))
        throwGeneralProtection();
    return fetchDescriptor(processor, selector);
}

// Whether a jump or call names a task: then it is done. Intel SDM volume 3, 7.3.
bool switchesTask(Processor& processor, uint16_t selector, const Descriptor& descriptor, TaskSwitchCause cause)
{
    const bool isTaskGate = descriptor.isSystem() && descriptor.type() == system_type::taskGate;
    if (!isTaskGate && !isTss(descriptor))
        return false;
    if (descriptor.dpl() < processor.cpl || descriptor.dpl() < rplOf(selector))
        throwSelectorFault(Exception::GeneralProtection, selector);
    if (isTaskGate)
        requirePresent(descriptor, selector);
    switchTask(
        processor, isTaskGate ? descriptor.gateSelector() : selector, cause, { processor.nextEip, processor.eflags() });
    return true;
}

// A call gate may be used, and its target is code. Intel SDM volume 3, 5.8.4.
Descriptor fetchGateTarget(Processor& processor, uint16_t gateSelector, const Descriptor& gate)
{
    if (gate.type() != system_type::callGate16 && gate.type() != system_type::callGate32)
        throwSelectorFault(Exception::GeneralProtection, gateSelector);
    if (gate.dpl() < processor.cpl || gate.dpl() < rplOf(gateSelector))
        throwSelectorFault(Exception::GeneralProtection, gateSelector);
    requirePresent(gate, gateSelector);
    const Descriptor code = fetchTarget(processor, gate.gateSelector());
    if (!code.isCode() || code.dpl() > processor.cpl)
        throwSelectorFault(Exception::GeneralProtection, gate.gateSelector());
    return code;
}

unsigned gateOperandSize(const Descriptor& gate)
{
    return gate.type() & system_type::bit32 ? 4 : 2;
}

void jumpThroughGate(Processor& processor, uint16_t gateSelector, const Descriptor& gate)
{
    const Descriptor descriptor = fetchGateTarget(processor, gateSelector, gate);
    if (!descriptor.isConformingCode() && descriptor.dpl() != processor.cpl)
        throwSelectorFault(Exception::GeneralProtection, gate.gateSelector());
    requirePresent(descriptor, gate.gateSelector());
    const SegmentState code = markAccessed(processor, withRpl(gate.gateSelector(), processor.cpl), descriptor);
    requireWithin(code, gate.gateOffset());
    go(processor, code, gate.gateOffset());
}

void callThroughGateInward(Processor& processor, const Descriptor& gate, const SegmentState& code, unsigned newLevel)
{
    const unsigned size = gateOperandSize(gate);
    const InnerStack stack = fetchInnerStack(processor, newLevel);

    std::array<uint32_t, 31> parameters {};
    StackPopper outer(processor);
    const unsigned parameterCount = gate.gateParameters();
    for (unsigned index = 0; index < parameterCount; ++index)
        parameters[index] = outer.pop(size);

    StackPusher inner(processor, stack.segment, stack.stackPointer, selectorError(stack.segment.selector));
    inner.push(processor.segments[Ss].state.selector, size);
    inner.push(processor.gpr[Esp], size);
    for (unsigned index = parameterCount; index > 0; --index)
        inner.push(parameters[index - 1], size);
    inner.push(processor.segments[Cs].state.selector, size);
    inner.push(processor.nextEip, size);
    requireWithin(code, gate.gateOffset());

    processor.setCpl(static_cast<uint8_t>(newLevel));
    processor.setSegment(Ss, stack.segment);
    processor.gpr[Esp] = withStackPointer(processor.gpr[Esp], inner.stackPointer(), stackOffsetMask(stack.segment));
    go(processor, code, gate.gateOffset());
}

void pushReturnAddressAndGo(Processor& processor, const SegmentState& code, uint32_t offset, unsigned operandSize)
{
    StackPusher stack(processor);
    stack.push(processor.segments[Cs].state.selector, operandSize);
    stack.push(processor.nextEip, operandSize);
    requireWithin(code, offset);
    processor.gpr[Esp] = stack.stackPointer();
    go(processor, code, offset);
}

void callThroughGate(Processor& processor, uint16_t gateSelector, const Descriptor& gate)
{
    const Descriptor descriptor = fetchGateTarget(processor, gateSelector, gate);
    requirePresent(descriptor, gate.gateSelector());
    const bool inward = !descriptor.isConformingCode() && descriptor.dpl() < processor.cpl;
    const unsigned level = inward ? descriptor.dpl() : processor.cpl;
    const SegmentState code = markAccessed(processor, withRpl(gate.gateSelector(), level), descriptor);
    if (inward)
        callThroughGateInward(processor, gate, code, level);
    else
        pushReturnAddressAndGo(processor, code, gate.gateOffset(), gateOperandSize(gate));
}

// The code segment that a return pops, at the level of its selector's RPL, which is not inside the level of now.
SegmentState returnTarget(Processor& processor, uint16_t selector)
{
    const Descriptor descriptor = fetchTarget(processor, selector);
    const unsigned level = rplOf(selector);
    const bool rightLevel = descriptor.isConformingCode() ? descriptor.dpl() <= level : descriptor.dpl() == level;
    if (!descriptor.isCode() || level < processor.cpl || !rightLevel)
        throwSelectorFault(Exception::GeneralProtection, selector);
    requirePresent(descriptor, selector);
    return markAccessed(processor, selector, descriptor);
}

struct OuterStack {
    uint32_t stackPointer;
    SegmentState segment;
};

OuterStack popOuterStack(Processor& processor, StackPopper& stack, unsigned operandSize, unsigned level)
{
    const uint32_t stackPointer = stack.pop(operandSize);
    const auto selector = static_cast<uint16_t>(stack.pop(operandSize));
    return { stackPointer, fetchStackSegment(processor, selector, level, Exception::GeneralProtection) };
}

void takeOuterStack(Processor& processor, const OuterStack& outer, uint32_t releasedBytes, unsigned level)
{
    processor.setCpl(static_cast<uint8_t>(level));
    processor.setSegment(Ss, outer.segment);
    processor.gpr[Esp]
        = withStackPointer(processor.gpr[Esp], outer.stackPointer + releasedBytes, stackOffsetMask(outer.segment));
    dropInnerSegments(processor);
}

// The flags that an IRET leaves; call it before the privilege level changes.
uint32_t returnedFlags(const Processor& processor, uint32_t popped, unsigned operandSize)
{
    const uint32_t mask = changeableFlags(processor, operandSize) | (operandSize == 4 ? eflags::resume : 0);
    return (processor.eflags() & ~mask) | (popped & mask);
}

void finishInterruptReturn(Processor& processor, uint32_t flags)
{
    processor.setEflags(flags);
    processor.nmiBlocked = false;
    processor.leaveBlock = true;
}

struct InterruptFrame {
    uint32_t offset;
    uint16_t selector;
    uint32_t flags;
};

InterruptFrame popInterruptFrame(StackPopper& stack, unsigned operandSize)
{
    const uint32_t offset = stack.pop(operandSize);
    const auto selector = static_cast<uint16_t>(stack.pop(operandSize));
    return { offset, selector, stack.pop(operandSize) };
}

// In real mode, and in virtual-8086 mode with IOPL 3, to the same mode.
void returnToParagraphs(Processor& processor, unsigned operandSize)
{
    if (processor.virtual8086() && ioPrivilegeLevel(processor) < 3)
        throwGeneralProtection();
    StackPopper stack(processor);
    const InterruptFrame frame = popInterruptFrame(stack, operandSize);
    const SegmentState code = paragraphSegment(processor, Cs, frame.selector);
    requireWithin(code, frame.offset);
    processor.gpr[Esp] = stack.stackPointer();
    go(processor, code, frame.offset);
    finishInterruptReturn(processor, returnedFlags(processor, frame.flags, operandSize));
}

// Intel SDM volume 2, IRET, RETURN-TO-VIRTUAL-8086-MODE. All flags are taken as they are popped.
void returnToVirtual8086(Processor& processor, StackPopper& stack, const InterruptFrame& frame)
{
    const SegmentState code = virtual8086Segment(frame.selector);
    requireWithin(code, frame.offset);
    const uint32_t stackPointer = stack.pop(4);
    std::array<std::pair<SegmentIndex, uint16_t>, 5> loads { { { Ss, 0 }, { Es, 0 }, { Ds, 0 }, { Fs, 0 },
        { Gs, 0 } } };
    for (auto& [index, selector] : loads)
        selector = static_cast<uint16_t>(stack.pop(4));

    constexpr unsigned userLevel = 3;
    processor.setCpl(userLevel);
    for (const auto& [index, selector] : loads)
        processor.setSegment(index, virtual8086Segment(selector));
    processor.gpr[Esp] = stackPointer;
    go(processor, code, frame.offset);
    finishInterruptReturn(processor, frame.flags);
}

} // namespace

void jumpFar(Processor& processor, uint16_t selector, uint32_t wholeOffset, unsigned operandSize)
{
    const uint32_t offset = offsetOfSize(wholeOffset, operandSize);
    if (processor.paragraphSegments()) {
        const SegmentState code = paragraphSegment(processor, Cs, selector);
        requireWithin(code, offset);
        go(processor, code, offset);
        return;
    }
    const Descriptor descriptor = fetchTarget(processor, selector);
    if (switchesTask(processor, selector, descriptor, TaskSwitchCause::Jump))
        return;
    if (descriptor.isSystem()) {
        jumpThroughGate(processor, selector, descriptor);
        return;
    }
    const SegmentState code = directTarget(processor, selector, descriptor);
    requireWithin(code, offset);
    go(processor, code, offset);
}

void callFar(Processor& processor, uint16_t selector, uint32_t wholeOffset, unsigned operandSize)
{
    const uint32_t offset = offsetOfSize(wholeOffset, operandSize);
    if (processor.paragraphSegments()) {
        const SegmentState code = paragraphSegment(processor, Cs, selector);
        pushReturnAddressAndGo(processor, code, offset, operandSize);
        return;
    }
    const Descriptor descriptor = fetchTarget(processor, selector);
    if (switchesTask(processor, selector, descriptor, TaskSwitchCause::Call))
        return;
    if (descriptor.isSystem())
        callThroughGate(processor, selector, descriptor);
    else
        pushReturnAddressAndGo(processor, directTarget(processor, selector, descriptor), offset, operandSize);
}

void returnFar(Processor& processor, unsigned operandSize, uint16_t releasedBytes)
{
    StackPopper stack(processor);
    const uint32_t offset = stack.pop(operandSize);
    const auto selector = static_cast<uint16_t>(stack.pop(operandSize));
    stack.skip(releasedBytes);

    if (processor.paragraphSegments()) {
        const SegmentState code = paragraphSegment(processor, Cs, selector);
        requireWithin(code, offset);
        processor.gpr[Esp] = stack.stackPointer();
        go(processor, code, offset);
        return;
    }

    const SegmentState code = returnTarget(processor, selector);
    requireWithin(code, offset);
    const unsigned level = rplOf(selector);
    if (level == processor.cpl) {
        processor.gpr[Esp] = stack.stackPointer();
    } else {
        const OuterStack outer = popOuterStack(processor, stack, operandSize, level);
        takeOuterStack(processor, outer, releasedBytes, level);
    }
    go(processor, code, offset);
}

void returnFromInterrupt(Processor& processor, unsigned operandSize)
{
    if (processor.paragraphSegments()) {
        returnToParagraphs(processor, operandSize);
        return;
    }
    if (processor.otherFlags & eflags::nestedTask) {
        // NMIs come through again whatever becomes of the switch: the handler has said that it is done.
        processor.nmiBlocked = false;
        returnToPreviousTask(processor, { processor.nextEip, processor.eflags() });
        return;
    }

    StackPopper stack(processor);
    const InterruptFrame frame = popInterruptFrame(stack, operandSize);
    if (operandSize == 4 && (frame.flags & eflags::virtual8086) && processor.cpl == 0) {
        returnToVirtual8086(processor, stack, frame);
        return;
    }
    const SegmentState code = returnTarget(processor, frame.selector);
    requireWithin(code, frame.offset);
    const uint32_t flags = returnedFlags(processor, frame.flags, operandSize);
    const unsigned level = rplOf(frame.selector);
    if (level == processor.cpl) {
        processor.gpr[Esp] = stack.stackPointer();
    } else {
        const OuterStack outer = popOuterStack(processor, stack, operandSize, level);
        takeOuterStack(processor, outer, 0, level);
    }
    go(processor, code, frame.offset);
    finishInterruptReturn(processor, flags);
}

} // namespace namsan
