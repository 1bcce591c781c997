// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/privilege.h"
#include "vmm/engine/interpret/segment_loading.h"
#include "vmm/engine/interpret/system_handlers.h"

namespace namsan {

namespace {

constexpr unsigned tableRegisterSize = 6; // a 16-bit limit, a 32-bit base
constexpr uint32_t localTableSelector = 1 << 2; // TI
constexpr uint32_t base24 = 0x00ffffff;

DescriptorTableState readTableRegister(Processor& processor, const Instruction& instruction)
{
    const uint32_t linear = processor.linearForRead(
        static_cast<SegmentIndex>(instruction.segment), processor.offsetOf(instruction), tableRegisterSize);
    const auto limit = processor.memory.read<uint16_t>(linear);
    const auto base = processor.memory.read<uint32_t>(linear + 2);
    // With 16-bit operands the base has 24 bits, as the 80286 had it.
    return { instruction.operandSize == 2 ? base & base24 : base, limit };
}

void writeTableRegister(Processor& processor, const Instruction& instruction, const DescriptorTableState& table)
{
    const uint32_t linear = processor.linearForWrite(
        static_cast<SegmentIndex>(instruction.segment), processor.offsetOf(instruction), tableRegisterSize);
    processor.memory.probeWrite(linear, tableRegisterSize);
    processor.memory.requireAlignment(linear, 4); // SDM volume 3, table 6-7
    processor.memory.write<uint16_t>(linear, table.limit);
    processor.memory.write<uint16_t>(linear + 2, static_cast<uint16_t>(table.base));
    processor.memory.write<uint16_t>(linear + 4, static_cast<uint16_t>(table.base >> 16));
}

void loadGlobalTable(Processor& processor, const Instruction& instruction)
{
    requireLevel0(processor);
    processor.gdtr = readTableRegister(processor, instruction);
}

void loadInterruptTable(Processor& processor, const Instruction& instruction)
{
    requireLevel0(processor);
    processor.idtr = readTableRegister(processor, instruction);
}

void storeGlobalTable(Processor& processor, const Instruction& instruction)
{
    writeTableRegister(processor, instruction, processor.gdtr);
}

void storeInterruptTable(Processor& processor, const Instruction& instruction)
{
    writeTableRegister(processor, instruction, processor.idtr);
}

// LLDT and LTR take their descriptors from the GDT alone.
Descriptor fetchGlobalDescriptor(Processor& processor, uint16_t selector)
{
    if (selector & localTableSelector)
        throwSelectorFault(Exception::GeneralProtection, selector);
    return fetchDescriptor(processor, selector);
}

uint16_t selectorOperand(Processor& processor, const Instruction& instruction)
{
    return instruction.rmIsMemory ? processor.readOperand<uint16_t>(instruction)
                                  : static_cast<uint16_t>(processor.gpr[instruction.rm]);
}

void storeSelector(Processor& processor, const Instruction& instruction, uint16_t selector)
{
    requireProtectedMode(processor);
    if (instruction.rmIsMemory)
        processor.writeOperand<uint16_t>(instruction, selector);
    else if (instruction.operandSize == 2)
        processor.gpr[instruction.rm] = (processor.gpr[instruction.rm] & 0xffff0000) | selector;
    else
        processor.gpr[instruction.rm] = selector;
}

void loadLocalTable(Processor& processor, const Instruction& instruction)
{
    requireProtectedMode(processor);
    requireLevel0(processor);
    const uint16_t selector = selectorOperand(processor, instruction);
    if (isNull(selector)) {
        processor.ldtr = { selector, access_rights::unusable, 0, 0 };
        return;
    }
    const Descriptor descriptor = fetchGlobalDescriptor(processor, selector);
    if (!descriptor.isSystem() || descriptor.type() != system_type::ldt)
        throwSelectorFault(Exception::GeneralProtection, selector);
    if (!descriptor.present())
        throwSelectorFault(Exception::SegmentNotPresent, selector);
    processor.ldtr = descriptor.segment(selector);
}

void storeLocalTable(Processor& processor, const Instruction& instruction)
{
    storeSelector(processor, instruction, processor.ldtr.selector);
}

void loadTaskRegister(Processor& processor, const Instruction& instruction)
{
    requireProtectedMode(processor);
    requireLevel0(processor);
    const uint16_t selector = selectorOperand(processor, instruction);
    if (isNull(selector))
        throwGeneralProtection();
    const Descriptor descriptor = fetchGlobalDescriptor(processor, selector);
    const bool isAvailableTss = descriptor.isSystem()
        && (descriptor.type() == system_type::availableTss16 || descriptor.type() == system_type::availableTss32);
    if (!isAvailableTss)
        throwSelectorFault(Exception::GeneralProtection, selector);
    if (!descriptor.present())
        throwSelectorFault(Exception::SegmentNotPresent, selector);
    processor.memory.writeAsSupervisor<uint32_t>(descriptor.address + 4, descriptor.high | system_type::busyBit << 8);
    processor.tr = descriptor.segment(selector);
    processor.tr.accessRights |= system_type::busyBit;
}

void storeTaskRegister(Processor& processor, const Instruction& instruction)
{
    storeSelector(processor, instruction, processor.tr.selector);
}

} // namespace

void bindDescriptorTableInstructions(HandlerTable& table)
{
    table.bind(Operation::Lgdt, loadGlobalTable);
    table.bind(Operation::Lidt, loadInterruptTable);
    table.bind(Operation::Sgdt, storeGlobalTable);
    table.bind(Operation::Sidt, storeInterruptTable);
    table.bind(Operation::Lldt, loadLocalTable);
    table.bind(Operation::Sldt, storeLocalTable);
    table.bind(Operation::Ltr, loadTaskRegister);
    table.bind(Operation::Str, storeTaskRegister);
}

} // namespace namsan
