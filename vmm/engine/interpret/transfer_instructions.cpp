// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/far_transfers.h"
#include "vmm/engine/interpret/flag_rules.h"
#include "vmm/engine/interpret/interrupt_delivery.h"
#include "vmm/engine/interpret/privilege.h"
#include "vmm/engine/interpret/segment_loading.h"
#include "vmm/engine/interpret/system_handlers.h"

namespace namsan {

namespace {

struct FarPointer {
    uint16_t selector;
    uint32_t offset;
};

FarPointer farPointerInMemory(Processor& processor, const Instruction& instruction)
{
    const uint32_t linear = processor.linearForRead(
        static_cast<SegmentIndex>(instruction.segment), processor.offsetOf(instruction), instruction.operandSize + 2u);
    const uint32_t offset = instruction.operandSize == 4 ? processor.memory.read<uint32_t>(linear)
                                                         : processor.memory.read<uint16_t>(linear);
    return { processor.memory.read<uint16_t>(linear + instruction.operandSize), offset };
}

void jumpFarDirect(Processor& processor, const Instruction& instruction)
{
    jumpFar(processor, instruction.immediate2, instruction.immediate, instruction.operandSize);
}

void jumpFarIndirect(Processor& processor, const Instruction& instruction)
{
    const FarPointer target = farPointerInMemory(processor, instruction);
    jumpFar(processor, target.selector, target.offset, instruction.operandSize);
}

void callFarDirect(Processor& processor, const Instruction& instruction)
{
    callFar(processor, instruction.immediate2, instruction.immediate, instruction.operandSize);
}

void callFarIndirect(Processor& processor, const Instruction& instruction)
{
    const FarPointer target = farPointerInMemory(processor, instruction);
    callFar(processor, target.selector, target.offset, instruction.operandSize);
}

// With and without an immediate: where there is none, it is 0.
void returnFarHandler(Processor& processor, const Instruction& instruction)
{
    returnFar(processor, instruction.operandSize, static_cast<uint16_t>(instruction.immediate));
}

void returnFromInterruptHandler(Processor& processor, const Instruction& instruction)
{
    returnFromInterrupt(processor, instruction.operandSize);
}

// INT n alone asks for IOPL 3 in virtual-8086 mode; INT3, INTO and INT1 do not. Intel SDM volume 3, 21.2.5.
void interrupt(Processor& processor, const Instruction& instruction)
{
    if (processor.virtual8086() && ioPrivilegeLevel(processor) < 3)
        throwGeneralProtection();
    deliverSoftwareInterrupt(processor, static_cast<uint8_t>(instruction.immediate));
}

void breakpoint(Processor& processor, const Instruction&)
{
    deliverSoftwareInterrupt(processor, static_cast<uint8_t>(Exception::Breakpoint));
}

void interruptOnOverflow(Processor& processor, const Instruction&)
{
    if (processor.eflags() & eflags::overflow)
        deliverSoftwareInterrupt(processor, static_cast<uint8_t>(Exception::Overflow));
}

// INT1 is a trap like any hardware #DB: no gate's DPL is looked at, and it returns to the following instruction.
void interrupt1(Processor& processor, const Instruction&)
{
    deliverHardwareTrap(processor, static_cast<uint8_t>(Exception::Debug));
}

constexpr uint32_t flatCode = 0xc09b; // present, readable code, accessed; 32 bits, granular
constexpr uint32_t flatData = 0xc093; // present, writable data, accessed; 32 bits, granular

SegmentState flatSegment(uint32_t selector, uint32_t rights, unsigned level)
{
    return { static_cast<uint16_t>(selector), rights | level << 5, 0, 0xffffffff };
}

// Intel SDM volume 2, SYSENTER.
void systemEnter(Processor& processor, const Instruction&)
{
    if (!processor.protectedMode() || isNull(processor.sysenterCs))
        throwGeneralProtection();
    const uint32_t code = processor.sysenterCs & 0xfffc;
    processor.setEflags(processor.eflags() & ~(eflags::interruptEnable | eflags::virtual8086 | eflags::resume));
    processor.setCpl(0);
    processor.setSegment(Cs, flatSegment(code, flatCode, 0));
    processor.setSegment(Ss, flatSegment(code + 8, flatData, 0));
    processor.gpr[Esp] = processor.sysenterEsp;
    processor.nextEip = processor.sysenterEip;
}

// Intel SDM volume 2, SYSEXIT.
void systemExit(Processor& processor, const Instruction&)
{
    if (!processor.protectedMode() || isNull(processor.sysenterCs))
        throwGeneralProtection();
    requireLevel0(processor);
    constexpr unsigned userLevel = 3;
    const uint32_t code = processor.sysenterCs & 0xfffc;
    processor.setCpl(userLevel);
    processor.setSegment(Cs, flatSegment((code + 16) | userLevel, flatCode, userLevel));
    processor.setSegment(Ss, flatSegment((code + 24) | userLevel, flatData, userLevel));
    processor.gpr[Esp] = processor.gpr[Ecx];
    processor.nextEip = processor.gpr[Edx];
}

} // namespace

void bindTransferInstructions(HandlerTable& table)
{
    table.bind(Operation::JmpFar, jumpFarDirect);
    table.bind(Operation::JmpFarIndirect, jumpFarIndirect);
    table.bind(Operation::CallFar, callFarDirect);
    table.bind(Operation::CallFarIndirect, callFarIndirect);
    table.bind(Operation::RetFar, returnFarHandler);
    table.bind(Operation::Iret, returnFromInterruptHandler);
    table.bind(Operation::Int, interrupt);
    table.bind(Operation::Int3, breakpoint);
    table.bind(Operation::Into, interruptOnOverflow);
    table.bind(Operation::Int1, interrupt1);
    table.bind(Operation::Sysenter, systemEnter);
    table.bind(Operation::Sysexit, systemExit);
}

} // namespace namsan
