// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/task_switch.h"

#include "vmm/engine/interpret/control_registers.h"
#include "vmm/engine/interpret/debug_registers.h"
#include "vmm/engine/interpret/segment_loading.h"
#include "vmm/engine/interpret/stack_access.h"

#include <array>

namespace namsan {

namespace {

constexpr uint32_t localTable = 1 << 2; // TI of a selector

// Where a task state segment keeps what. Intel SDM volume 3, figures 7-2 and 7-10.
struct TssLayout {
    unsigned registerSize; // bytes
    uint32_t lowestLimit;
    uint32_t eip; // then EFLAGS, eight general registers, and the segment registers
    uint32_t segmentCount; // ES, CS, SS, DS; FS and GS
    uint32_t segments;
    uint32_t ldt;

    uint32_t eflags() const { return eip + registerSize; }
    uint32_t gpr(uint32_t number) const { return eip + (2 + number) * registerSize; }
    uint32_t segment(uint32_t number) const { return segments + number * registerSize; }
    uint32_t saved() const { return segment(segmentCount) - eip; } // bytes from eip on
};
constexpr TssLayout tss16 { 2, 0x2b, 14, 4, 34, 42 };
constexpr TssLayout tss32 { 4, 0x67, 32, 6, 72, 96 };
constexpr uint32_t cr3Offset = 28; // of the 32-bit one
constexpr uint32_t debugTrapOffset = 100;

const TssLayout& layoutOf(uint32_t type)
{
    return type & system_type::bit32 ? tss32 : tss16;
}

struct TaskImage {
    bool is32 = false;
    uint32_t cr3 = 0;
    uint32_t eip = 0;
    uint32_t eflags = 0;
    std::array<uint32_t, 8> gpr {};
    std::array<uint16_t, 6> selectors {};
    uint16_t ldt = 0;
    bool debugTrap = false; // T
};

// Intel SDM volume 3, table 7-1, its first rows.
Descriptor fetchTss(Processor& processor, uint16_t selector, TaskSwitchCause cause)
{
    const bool isReturn = cause == TaskSwitchCause::Return;
    const Exception violation = isReturn ? Exception::InvalidTss : Exception::GeneralProtection;
    if (isNull(selector) || (selector & localTable))
        throwSelectorFault(violation, selector);
    const Descriptor descriptor = fetchDescriptor(processor, selector, violation);
    const bool busy = descriptor.type() & system_type::busyBit;
    if (!isTss(descriptor) || busy != isReturn)
        throwSelectorFault(violation, selector);
    if (!descriptor.present())
        throwSelectorFault(Exception::SegmentNotPresent, selector);
    if (descriptor.limit() < layoutOf(descriptor.type()).lowestLimit)
        throwSelectorFault(Exception::InvalidTss, selector);
    return descriptor;
}

uint32_t currentTssDescriptor(const Processor& processor)
{
    return processor.gdtr.base + (processor.tr.selector & 0xfff8u) + 4; // its upper half
}

bool leavesOldTaskBusy(TaskSwitchCause cause)
{
    return cause == TaskSwitchCause::Call || cause == TaskSwitchCause::Event;
}

// Whatever the switch will touch is there and may be written, so that no page fault comes in its middle.
void probeBothTasks(Processor& processor, uint16_t selector, const Descriptor& target, TaskSwitchCause cause)
{
    const TssLayout& old = layoutOf(processor.tr.accessRights);
    if (!isUsable(processor.tr) || processor.tr.limit < old.lowestLimit)
        throwSelectorFault(Exception::InvalidTss, selector);
    LinearMemory& memory = processor.memory;
    memory.probeWriteAsSupervisor(processor.tr.base + old.eip, old.saved());
    memory.probeReadAsSupervisor(target.base(), layoutOf(target.type()).lowestLimit + 1);
    if (leavesOldTaskBusy(cause))
        memory.probeWriteAsSupervisor(target.base(), 2);
    else
        memory.probeWriteAsSupervisor(currentTssDescriptor(processor), 4);
    if (cause != TaskSwitchCause::Return)
        memory.probeWriteAsSupervisor(target.address + 4, 4);
}

uint32_t readField(Processor& processor, uint32_t address, unsigned size)
{
    return size == 4 ? processor.memory.readAsSupervisor<uint32_t>(address)
                     : processor.memory.readAsSupervisor<uint16_t>(address);
}

void writeField(Processor& processor, uint32_t address, unsigned size, uint32_t value)
{
    if (size == 4)
        processor.memory.writeAsSupervisor<uint32_t>(address, value);
    else
        processor.memory.writeAsSupervisor<uint16_t>(address, static_cast<uint16_t>(value));
}

// CR3 and LDTR stay in the TSS as they are.
void saveTask(Processor& processor, const OutgoingTask& outgoing, uint32_t flags)
{
    const TssLayout& layout = layoutOf(processor.tr.accessRights);
    const uint32_t base = processor.tr.base;
    writeField(processor, base + layout.eip, layout.registerSize, outgoing.eip);
    writeField(processor, base + layout.eflags(), layout.registerSize, flags);
    for (uint32_t n = 0; n < 8; ++n)
        writeField(processor, base + layout.gpr(n), layout.registerSize, processor.gpr[n]);
    for (uint32_t n = 0; n < layout.segmentCount; ++n)
        writeField(processor, base + layout.segment(n), 2, processor.segments[n].state.selector);
}

// What a 16-bit TSS has no room for is 0: the upper halves, FS and GS.
TaskImage readTask(Processor& processor, const Descriptor& target)
{
    const TssLayout& layout = layoutOf(target.type());
    const uint32_t base = target.base();
    TaskImage image;
    image.is32 = layout.registerSize == 4;
    image.eip = readField(processor, base + layout.eip, layout.registerSize);
    image.eflags = readField(processor, base + layout.eflags(), layout.registerSize);
    for (uint32_t n = 0; n < 8; ++n)
        image.gpr[n] = readField(processor, base + layout.gpr(n), layout.registerSize);
    for (uint32_t n = 0; n < layout.segmentCount; ++n)
        image.selectors[n] = static_cast<uint16_t>(readField(processor, base + layout.segment(n), 2));
    image.ldt = static_cast<uint16_t>(readField(processor, base + layout.ldt, 2));
    if (image.is32) {
        image.cr3 = readField(processor, base + cr3Offset, 4);
        image.debugTrap = readField(processor, base + debugTrapOffset, 2) & 1;
    }
    return image;
}

void setBusy(Processor& processor, uint32_t upperHalf, bool busy)
{
    constexpr uint32_t bit = system_type::busyBit << 8;
    const auto before = processor.memory.readAsSupervisor<uint32_t>(upperHalf);
    processor.memory.writeAsSupervisor<uint32_t>(upperHalf, busy ? before | bit : before & ~bit);
}

// All that cannot fault. Segments have their selectors and nothing behind them yet.
void enterTask(Processor& processor, const TaskImage& image)
{
    processor.eip = image.eip;
    processor.nextEip = image.eip;
    for (uint32_t n = 0; n < 8; ++n)
        processor.gpr[n] = image.gpr[n];
    processor.setEflags(image.eflags);
    for (const SegmentIndex index : { Es, Cs, Ss, Ds, Fs, Gs })
        processor.setSegment(index, nullSegment(image.selectors[index]));
    processor.ldtr = nullSegment(image.ldt);
    const unsigned level = processor.virtual8086() ? 3 : rplOf(image.selectors[Cs]);
    processor.setCpl(static_cast<uint8_t>(level));
    disableLocalBreakpoints(processor);
    processor.eventDelivered = true;
    processor.leaveBlock = true;
}

void loadLocalTable(Processor& processor, uint16_t selector)
{
    if (isNull(selector))
        return;
    if (selector & localTable)
        throwSelectorFault(Exception::InvalidTss, selector);
    const Descriptor descriptor = fetchDescriptor(processor, selector, Exception::InvalidTss);
    if (!descriptor.isSystem() || descriptor.type() != system_type::ldt || !descriptor.present())
        throwSelectorFault(Exception::InvalidTss, selector);
    processor.ldtr = descriptor.segment(selector);
}

SegmentState fetchCode(Processor& processor, uint16_t selector)
{
    if (isNull(selector))
        throwSelectorFault(Exception::InvalidTss, selector);
    const Descriptor descriptor = fetchDescriptor(processor, selector, Exception::InvalidTss);
    const unsigned level = rplOf(selector);
    const bool rightLevel = descriptor.isConformingCode() ? descriptor.dpl() <= level : descriptor.dpl() == level;
    if (!descriptor.isCode() || !rightLevel)
        throwSelectorFault(Exception::InvalidTss, selector);
    if (!descriptor.present())
        throwSelectorFault(Exception::SegmentNotPresent, selector);
    return markAccessed(processor, selector, descriptor);
}

void loadSegments(Processor& processor, const TaskImage& image)
{
    loadLocalTable(processor, image.ldt);
    if (processor.virtual8086()) {
        for (const SegmentIndex index : { Es, Cs, Ss, Ds, Fs, Gs })
            processor.setSegment(index, virtual8086Segment(image.selectors[index]));
        return;
    }
    processor.setSegment(Cs, fetchCode(processor, image.selectors[Cs]));
    processor.setSegment(Ss, fetchStackSegment(processor, image.selectors[Ss], processor.cpl, Exception::InvalidTss));
    for (const SegmentIndex index : { Ds, Es, Fs, Gs })
        processor.setSegment(index, fetchDataSegment(processor, image.selectors[index], Exception::InvalidTss));
}

} // namespace

void switchTask(Processor& processor, uint16_t selector, TaskSwitchCause cause, const OutgoingTask& outgoing,
    std::optional<uint32_t> errorCode)
{
    const Descriptor target = fetchTss(processor, selector, cause);
    probeBothTasks(processor, selector, target, cause);

    const bool isReturn = cause == TaskSwitchCause::Return;
    saveTask(processor, outgoing, isReturn ? outgoing.eflags & ~eflags::nestedTask : outgoing.eflags);
    if (leavesOldTaskBusy(cause))
        writeField(processor, target.base(), 2, processor.tr.selector); // the back link
    else
        setBusy(processor, currentTssDescriptor(processor), false);
    if (!isReturn || target.address + 4 == currentTssDescriptor(processor))
        setBusy(processor, target.address + 4, true);
    TaskImage image = readTask(processor, target);
    if (leavesOldTaskBusy(cause))
        image.eflags |= eflags::nestedTask;

    processor.tr = target.segment(selector);
    processor.tr.accessRights |= system_type::busyBit;
    setTaskSwitched(processor);
    enterTask(processor, image);
    if (image.is32 && (processor.cr0 & cr0::paging))
        writeCr3(processor, image.cr3);
    loadSegments(processor, image);

    if (errorCode) {
        StackPusher stack(processor);
        stack.push(*errorCode, image.is32 ? 4 : 2);
        processor.gpr[Esp] = stack.stackPointer();
    }
    if (image.debugTrap)
        processor.pendingDebug |= dr6::taskSwitch;
    if (image.eip > processor.segments[Cs].state.limit)
        throwGeneralProtection();
}

void returnToPreviousTask(Processor& processor, const OutgoingTask& outgoing)
{
    const auto link = processor.memory.readAsSupervisor<uint16_t>(processor.tr.base);
    switchTask(processor, link, TaskSwitchCause::Return, outgoing);
}

} // namespace namsan
