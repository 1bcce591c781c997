// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/interrupt_delivery.h"

#include "vmm/engine/interpret/debug_registers.h"
#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/segment_loading.h"
#include "vmm/engine/interpret/stack_access.h"
#include "vmm/engine/interpret/task_state.h"
#include "vmm/engine/interpret/task_switch.h"

namespace namsan {

namespace {

// Bits of an error code that holds a selector. Intel SDM volume 3, figure 6-7.
constexpr uint32_t externalEvent = 1 << 0; // EXT
constexpr uint32_t idtEntry = 1 << 1;

struct Event {
    uint8_t vector;
    bool software; // INT n and its kin: the gate's DPL counts
    uint32_t returnEip;
    uint32_t pushedFlags;
    std::optional<uint32_t> errorCode;
};

[[noreturn]] void throwGateFault(Exception exception, uint8_t vector)
{
    throw Fault { exception, vector * 8u | idtEntry };
}

Descriptor fetchGate(Processor& processor, const Event& event)
{
    const uint32_t offset = event.vector * 8u;
    if (offset + 7 > processor.idtr.limit)
        throwGateFault(Exception::GeneralProtection, event.vector);
    const auto both = processor.memory.readAsSupervisor<uint64_t>(processor.idtr.base + offset);
    const Descriptor gate { static_cast<uint32_t>(both), static_cast<uint32_t>(both >> 32), 0 };

    switch (gate.isSystem() ? gate.type() : 0) {
    case system_type::taskGate:
    case system_type::interruptGate16:
    case system_type::trapGate16:
    case system_type::interruptGate32:
    case system_type::trapGate32:
        break;
    default:
        throwGateFault(Exception::GeneralProtection, event.vector);
    }
    if (event.software && gate.dpl() < processor.cpl)
        throwGateFault(Exception::GeneralProtection, event.vector);
    if (!gate.present())
        throwGateFault(Exception::SegmentNotPresent, event.vector);
    return gate;
}

Descriptor fetchHandlerCode(Processor& processor, const Descriptor& gate)
{
    const uint16_t selector = gate.gateSelector();
    if (isNull(selector))
        throwGeneralProtection();
    const Descriptor code = fetchDescriptor(processor, selector);
    if (!code.isCode() || code.dpl() > processor.cpl)
        throwSelectorFault(Exception::GeneralProtection, selector);
    // From virtual-8086 mode to level 0 only. Intel SDM volume 3, 21.3.1.
    if (processor.virtual8086() && (code.isConformingCode() || code.dpl() != 0))
        throwSelectorFault(Exception::GeneralProtection, selector);
    if (!code.present())
        throwSelectorFault(Exception::SegmentNotPresent, selector);
    return code;
}

void pushReturnState(Processor& processor, StackPusher& stack, const Event& event, unsigned size)
{
    stack.push(event.pushedFlags, size);
    stack.push(processor.segments[Cs].state.selector, size);
    stack.push(event.returnEip, size);
    if (event.errorCode)
        stack.push(*event.errorCode, size);
}

void enterHandler(Processor& processor, const SegmentState& code, uint32_t offset, uint32_t clearedFlags)
{
    processor.setSegment(Cs, code);
    processor.nextEip = offset;
    processor.setEflags(processor.eflags() & ~clearedFlags);
    processor.eventDelivered = true;
    processor.leaveBlock = true;
}

// An interrupt, trap or call gate's way into the handler, once its code segment is known.
struct HandlerEntry {
    SegmentState code;
    uint32_t offset;
    unsigned size; // of what is pushed, each
    uint32_t clearedFlags;
};

void enterAtThisLevel(Processor& processor, const Event& event, const HandlerEntry& entry)
{
    StackPusher stack(processor);
    pushReturnState(processor, stack, event, entry.size);
    if (entry.offset > entry.code.limit)
        throwGeneralProtection();
    processor.gpr[Esp] = stack.stackPointer();
    enterHandler(processor, entry.code, entry.offset, entry.clearedFlags);
}

// Intel SDM volume 2, INT, INTER-PRIVILEGE-LEVEL-INTERRUPT and INTERRUPT-FROM-VIRTUAL-8086-MODE.
void enterAtInnerLevel(Processor& processor, const Event& event, const HandlerEntry& entry, unsigned level)
{
    const bool fromVirtual8086 = processor.virtual8086();
    const InnerStack inner = fetchInnerStack(processor, level);
    StackPusher stack(processor, inner.segment, inner.stackPointer, selectorError(inner.segment.selector));
    if (fromVirtual8086)
        for (const SegmentIndex index : { Gs, Fs, Ds, Es })
            stack.push(processor.segments[index].state.selector, entry.size);
    stack.push(processor.segments[Ss].state.selector, entry.size);
    stack.push(processor.gpr[Esp], entry.size);
    pushReturnState(processor, stack, event, entry.size);
    if (entry.offset > entry.code.limit)
        throwGeneralProtection();
    processor.setCpl(static_cast<uint8_t>(level));
    processor.setSegment(Ss, inner.segment);
    processor.gpr[Esp] = withStackPointer(processor.gpr[Esp], stack.stackPointer(), stackOffsetMask(inner.segment));
    if (fromVirtual8086)
        for (const SegmentIndex index : { Gs, Fs, Ds, Es })
            processor.setSegment(index, nullSegment(0));
    enterHandler(processor, entry.code, entry.offset, entry.clearedFlags);
}

void deliverThroughGate(Processor& processor, const Event& event)
{
    const Descriptor gate = fetchGate(processor, event);
    if (gate.type() == system_type::taskGate) {
        switchTask(processor, gate.gateSelector(), TaskSwitchCause::Event, { event.returnEip, event.pushedFlags },
            event.errorCode);
        return;
    }
    const Descriptor descriptor = fetchHandlerCode(processor, gate);
    const bool inward = !descriptor.isConformingCode() && descriptor.dpl() < processor.cpl;
    const unsigned level = inward ? descriptor.dpl() : processor.cpl;
    const bool isInterruptGate = !(gate.type() & 1);
    const HandlerEntry entry { markAccessed(processor, selectorError(gate.gateSelector()) | level, descriptor),
        gate.gateOffset(), gate.type() & system_type::bit32 ? 4u : 2u,
        eflags::trap | eflags::nestedTask | eflags::resume | eflags::virtual8086
            | (isInterruptGate ? eflags::interruptEnable : 0) };
    if (inward)
        enterAtInnerLevel(processor, event, entry, level);
    else
        enterAtThisLevel(processor, event, entry);
}

// Intel SDM volume 3, 21.1.4. Error codes are not pushed in real mode.
void deliverThroughVectorTable(Processor& processor, const Event& event)
{
    const uint32_t offset = event.vector * 4u;
    if (offset + 3 > processor.idtr.limit)
        throwGateFault(Exception::GeneralProtection, event.vector);
    const auto handler = processor.memory.readAsSupervisor<uint32_t>(processor.idtr.base + offset);

    StackPusher stack(processor);
    stack.push(event.pushedFlags, 2);
    stack.push(processor.segments[Cs].state.selector, 2);
    stack.push(event.returnEip, 2);
    const SegmentState code = realModeSegment(processor.segments[Cs].state, static_cast<uint16_t>(handler >> 16));
    if ((handler & 0xffff) > code.limit)
        throwGeneralProtection();
    processor.gpr[Esp] = stack.stackPointer();
    enterHandler(processor, code, handler & 0xffff,
        eflags::interruptEnable | eflags::trap | eflags::alignmentCheck | eflags::resume);
}

void deliver(Processor& processor, const Event& event)
{
    if (processor.protectedMode())
        deliverThroughGate(processor, event);
    else
        deliverThroughVectorTable(processor, event);
}

// Marks a fault that came while an event from outside of the program was delivered. Page faults have no such bit.
Fault asExternal(Fault fault)
{
    if (fault.errorCode && fault.exception != Exception::PageFault)
        *fault.errorCode |= externalEvent;
    return fault;
}

bool isContributory(Exception exception)
{
    switch (exception) {
    case Exception::DivideError:
    case Exception::InvalidTss:
    case Exception::SegmentNotPresent:
    case Exception::StackFault:
    case Exception::GeneralProtection:
        return true;
    default:
        return false;
    }
}

// What is raised when the delivery of one exception ends in another. Intel SDM volume 3, table 6-5.
Fault combine(const Fault& first, const Fault& second)
{
    const bool secondIsContributory = isContributory(second.exception);
    const bool secondIsPageFault = second.exception == Exception::PageFault;
    if (first.exception == Exception::DoubleFault && (secondIsContributory || secondIsPageFault))
        throw TripleFault {};
    const bool twice = isContributory(first.exception)
        ? secondIsContributory
        : first.exception == Exception::PageFault && (secondIsContributory || secondIsPageFault);
    return twice ? Fault { Exception::DoubleFault, 0 } : second;
}

// RF keeps an instruction breakpoint from stopping the restarted instruction again. A debug exception leaves it as it
// is: whoever raises one that restarts an instruction has set it. Intel SDM volume 3, 17.3.1.1.
uint32_t flagsPushedBy(const Processor& processor, Exception exception)
{
    const bool isFault = exception != Exception::Debug && exception != Exception::NonMaskableInterrupt
        && exception != Exception::Breakpoint && exception != Exception::Overflow
        && exception != Exception::DoubleFault;
    return processor.eflags() | (isFault ? eflags::resume : 0);
}

} // namespace

void deliverInterrupt(Processor& processor, uint8_t vector)
{
    try {
        deliver(processor, { vector, false, processor.eip, processor.eflags(), {} });
    } catch (const Fault& fault) {
        deliverException(processor, asExternal(fault));
    }
}

void deliverSoftwareInterrupt(Processor& processor, uint8_t vector)
{
    deliver(processor, { vector, true, processor.nextEip, processor.eflags(), {} });
}

void deliverHardwareTrap(Processor& processor, uint8_t vector)
{
    try {
        deliver(processor, { vector, false, processor.nextEip, processor.eflags(), {} });
    } catch (const Fault& fault) {
        throw asExternal(fault);
    }
}

void deliverException(Processor& processor, const Fault& first)
{
    Fault fault = first;
    // Ends: what is delivered in place of another is a step nearer to a double fault, and after that comes the end.
    for (;;) {
        try {
            processor.counters.exceptions.add();
            if (fault.exception == Exception::Debug)
                processor.dr[7] &= ~dr7::generalDetect; // so that the handler can get at the registers
            deliver(processor,
                { static_cast<uint8_t>(fault.exception), false, processor.eip,
                    flagsPushedBy(processor, fault.exception), fault.errorCode });
            return;
        } catch (const Fault& second) {
            fault = combine(fault, asExternal(second));
        }
    }
}

} // namespace namsan
