// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/control_registers.h"
#include "vmm/engine/interpret/debug_registers.h"
#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/flag_rules.h"
#include "vmm/engine/interpret/model_specific_registers.h"
#include "vmm/engine/interpret/privilege.h"
#include "vmm/engine/interpret/stack_access.h"
#include "vmm/engine/interpret/system_handlers.h"

namespace namsan {

namespace {

// Intel SDM volume 3, 9.3: stores before are done, and instructions after are fetched anew.
void serialize(Processor& processor)
{
    if (!processor.isOneOfSeveral())
        return;
    processor.fence();
    processor.leaveBlock = true;
}

void moveFromControl(Processor& processor, const Instruction& instruction)
{
    requireControlRegister(instruction.reg);
    requireLevel0(processor);
    processor.gpr[instruction.rm] = readControlRegister(processor, instruction.reg);
}

void moveToControl(Processor& processor, const Instruction& instruction)
{
    requireControlRegister(instruction.reg);
    requireLevel0(processor);
    writeControlRegister(processor, instruction.reg, processor.gpr[instruction.rm]);
    serialize(processor);
}

void moveFromDebug(Processor& processor, const Instruction& instruction)
{
    requireDebugRegister(processor, instruction.reg);
    requireLevel0(processor);
    processor.gpr[instruction.rm] = readDebugRegister(processor, instruction.reg);
}

void moveToDebug(Processor& processor, const Instruction& instruction)
{
    requireDebugRegister(processor, instruction.reg);
    requireLevel0(processor);
    writeDebugRegister(processor, instruction.reg, processor.gpr[instruction.rm]);
}

// A register takes all of CR0, memory its low half. At any privilege level.
void storeMachineStatus(Processor& processor, const Instruction& instruction)
{
    if (instruction.rmIsMemory)
        processor.writeOperand<uint16_t>(instruction, static_cast<uint16_t>(processor.cr0));
    else if (instruction.operandSize == 2)
        processor.gpr[instruction.rm] = (processor.gpr[instruction.rm] & 0xffff0000) | (processor.cr0 & 0xffff);
    else
        processor.gpr[instruction.rm] = processor.cr0;
}

// LMSW reaches PE, MP, EM and TS, and can't clear PE.
void loadMachineStatus(Processor& processor, const Instruction& instruction)
{
    requireLevel0(processor);
    constexpr uint32_t reach = cr0::protectionEnable | cr0::monitorCoprocessor | cr0::emulation | cr0::taskSwitched;
    const uint32_t value
        = instruction.rmIsMemory ? processor.readOperand<uint16_t>(instruction) : processor.gpr[instruction.rm];
    const uint32_t stays = processor.cr0 & (~reach | cr0::protectionEnable);
    writeCr0(processor, stays | (value & reach));
}

void clearTaskSwitchedHandler(Processor& processor, const Instruction&)
{
    requireLevel0(processor);
    clearTaskSwitched(processor);
}

void invalidatePage(Processor& processor, const Instruction& instruction)
{
    requireLevel0(processor);
    // The segment gives its base; limit and type are not looked at.
    const uint32_t linear = processor.segments[instruction.segment].state.base + processor.offsetOf(instruction);
    processor.memory.invalidatePage(linear);
    processor.leaveBlock = true;
    processor.fence();
}

// INVD and WBINVD: there is no cache to empty.
void emptyCaches(Processor& processor, const Instruction&)
{
    requireLevel0(processor);
    serialize(processor);
}

void halt(Processor& processor, const Instruction&)
{
    requireLevel0(processor);
    processor.halted = true;
    processor.counters.halts.add();
    processor.leaveBlock = true;
}

void requireInterruptFlagRight(const Processor& processor)
{
    if (processor.protectedMode() && processor.cpl > ioPrivilegeLevel(processor))
        throwGeneralProtection();
}

void clearInterruptEnable(Processor& processor, const Instruction&)
{
    requireInterruptFlagRight(processor);
    processor.otherFlags &= ~eflags::interruptEnable;
}

// Where IF was clear, interrupts stay off for one more instruction. Intel SDM volume 2, STI.
void setInterruptEnable(Processor& processor, const Instruction&)
{
    requireInterruptFlagRight(processor);
    if (processor.otherFlags & eflags::interruptEnable)
        return;
    processor.otherFlags |= eflags::interruptEnable;
    processor.interruptShadow = true;
    processor.leaveBlock = true;
}

// PUSHF and POPF in virtual-8086 mode. Intel SDM volume 3, 21.2.5.
void requireFlagsRight(const Processor& processor)
{
    if (processor.virtual8086() && ioPrivilegeLevel(processor) < 3)
        throwGeneralProtection();
}

void pushFlags(Processor& processor, const Instruction& instruction)
{
    requireFlagsRight(processor);
    StackPusher stack(processor);
    stack.push(processor.eflags() & ~(eflags::virtual8086 | eflags::resume), instruction.operandSize);
    processor.gpr[Esp] = stack.stackPointer();
}

void popFlags(Processor& processor, const Instruction& instruction)
{
    requireFlagsRight(processor);
    StackPopper stack(processor);
    const uint32_t popped = stack.pop(instruction.operandSize);
    const uint32_t mask = changeableFlags(processor, instruction.operandSize);
    const uint32_t before = processor.eflags();
    const uint32_t after = ((before & ~mask) | (popped & mask)) & ~eflags::resume;
    processor.gpr[Esp] = stack.stackPointer();
    processor.setEflags(after);
    if ((before ^ after) & (eflags::interruptEnable | eflags::trap))
        processor.leaveBlock = true;
}

void splitIntoEdxEax(Processor& processor, uint64_t value)
{
    processor.gpr[Eax] = static_cast<uint32_t>(value);
    processor.gpr[Edx] = static_cast<uint32_t>(value >> 32);
}

void readTimeStampCounter(Processor& processor, const Instruction&)
{
    if (processor.cr4 & cr4::timeStampDisable)
        requireLevel0(processor);
    processor.looksAtClock();
    splitIntoEdxEax(processor, timeStampCounter(processor));
}

// There is no performance counter, so no number of one is right.
void readPerformanceCounter(Processor&, const Instruction&)
{
    throwGeneralProtection();
}

void readModelSpecific(Processor& processor, const Instruction&)
{
    requireLevel0(processor);
    splitIntoEdxEax(processor, readModelSpecificRegister(processor, processor.gpr[Ecx]));
}

void writeModelSpecific(Processor& processor, const Instruction&)
{
    requireLevel0(processor);
    const uint64_t value = uint64_t { processor.gpr[Edx] } << 32 | processor.gpr[Eax];
    writeModelSpecificRegister(processor, processor.gpr[Ecx], value);
    serialize(processor);
}

void identify(Processor& processor, const Instruction&)
{
    CpuidResult result
        = processor.model.cpuid(processor.gpr[Eax], processor.gpr[Ecx], processor.place.index, processor.place.count);
    // The bit follows IA32_APIC_BASE. Intel SDM volume 3, 11.4.3.
    if (processor.gpr[Eax] == 1 && processor.apic && !processor.apic->isEnabled())
        result.edx &= ~(uint32_t { 1 } << static_cast<unsigned>(Feature::Apic));
    serialize(processor);
    processor.gpr[Eax] = result.eax;
    processor.gpr[Ebx] = result.ebx;
    processor.gpr[Ecx] = result.ecx;
    processor.gpr[Edx] = result.edx;
}

} // namespace

void bindControlInstructions(HandlerTable& table)
{
    table.bind(Operation::MoveFromControl, moveFromControl);
    table.bind(Operation::MoveToControl, moveToControl);
    table.bind(Operation::MoveFromDebug, moveFromDebug);
    table.bind(Operation::MoveToDebug, moveToDebug);
    table.bind(Operation::Smsw, storeMachineStatus);
    table.bind(Operation::Lmsw, loadMachineStatus);
    table.bind(Operation::Clts, clearTaskSwitchedHandler);
    table.bind(Operation::Invlpg, invalidatePage);
    table.bind(Operation::Invd, emptyCaches);
    table.bind(Operation::Wbinvd, emptyCaches);
    table.bind(Operation::Hlt, halt);
    table.bind(Operation::Cli, clearInterruptEnable);
    table.bind(Operation::Sti, setInterruptEnable);
    table.bind(Operation::Pushf, pushFlags);
    table.bind(Operation::Popf, popFlags);
    table.bind(Operation::Rdtsc, readTimeStampCounter);
    table.bind(Operation::Rdpmc, readPerformanceCounter);
    table.bind(Operation::Rdmsr, readModelSpecific);
    table.bind(Operation::Wrmsr, writeModelSpecific);
    table.bind(Operation::Cpuid, identify);
}

} // namespace namsan
