// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/control_registers.h"

namespace namsan {

namespace {

// Bits that exist; others of CR0 read as 0 and may be written without effect.
constexpr uint32_t cr0Bits = cr0::protectionEnable | cr0::monitorCoprocessor | cr0::emulation | cr0::taskSwitched
    | cr0::extensionType | cr0::numericError | cr0::writeProtect | cr0::alignmentMask | cr0::notWriteThrough
    | cr0::cacheDisable | cr0::paging;

void applyControl(Processor& processor)
{
    processor.memory.setControl(
        { processor.cr0, processor.cr3, processor.cr4, processor.efer, processor.pageDirectoryPointers });
    processor.leaveBlock = true;
}

bool usesPae(uint32_t cr0, uint32_t cr4)
{
    return (cr0 & cr0::paging) && (cr4 & cr4::physicalAddressExtension);
}

// What CR3 points to, where PAE paging goes on with new registers. Intel SDM volume 3, 4.4.1.
PageDirectoryPointers fetchPointers(Processor& processor, uint32_t cr3)
{
    const auto pointers = processor.memory.readPageDirectoryPointers(cr3);
    if (!pointers)
        throwGeneralProtection();
    return *pointers;
}

} // namespace

void writeCr0(Processor& processor, uint32_t written)
{
    if ((written & cr0::paging) && !(written & cr0::protectionEnable))
        throwGeneralProtection();
    if ((written & cr0::notWriteThrough) && !(written & cr0::cacheDisable))
        throwGeneralProtection();
    const uint32_t value = (written & cr0Bits) | cr0::extensionType;
    constexpr uint32_t loadsPointers = cr0::paging | cr0::cacheDisable | cr0::notWriteThrough;
    if (usesPae(value, processor.cr4) && ((value ^ processor.cr0) & loadsPointers))
        processor.pageDirectoryPointers = fetchPointers(processor, processor.cr3);
    processor.cr0 = value;
    applyControl(processor);
    processor.updateAlignmentCheck();
}

void writeCr3(Processor& processor, uint32_t value)
{
    if (usesPae(processor.cr0, processor.cr4))
        processor.pageDirectoryPointers = fetchPointers(processor, value);
    processor.cr3 = value;
    processor.memory.reloadCr3(value, processor.pageDirectoryPointers);
    processor.leaveBlock = true;
}

void writeCr4(Processor& processor, uint32_t value)
{
    if (value & ~processor.modelFacts.cr4Bits)
        throwGeneralProtection();
    constexpr uint32_t loadsPointers = cr4::physicalAddressExtension | cr4::pageGlobalEnable | cr4::pageSizeExtensions;
    if (usesPae(processor.cr0, value) && ((value ^ processor.cr4) & loadsPointers))
        processor.pageDirectoryPointers = fetchPointers(processor, processor.cr3);
    processor.cr4 = value;
    applyControl(processor);
}

void writeEfer(Processor& processor, uint64_t value)
{
    if (!processor.modelFacts.eferBits || (value & ~processor.modelFacts.eferBits))
        throwGeneralProtection();
    processor.efer = value;
    applyControl(processor);
}

void setTaskSwitched(Processor& processor)
{
    processor.cr0 |= cr0::taskSwitched;
    applyControl(processor);
}

void clearTaskSwitched(Processor& processor)
{
    processor.cr0 &= ~cr0::taskSwitched;
    applyControl(processor);
}

void requireControlRegister(unsigned number)
{
    if (number == 1 || number > 4)
        throwInvalidOpcode();
}

uint32_t readControlRegister(const Processor& processor, unsigned number)
{
    switch (number) {
    case 0:
        return processor.cr0;
    case 2:
        return processor.cr2;
    case 3:
        return processor.cr3;
    case 4:
        return processor.cr4;
    default:
        throwInvalidOpcode();
    }
}

void writeControlRegister(Processor& processor, unsigned number, uint32_t value)
{
    switch (number) {
    case 0:
        return writeCr0(processor, value);
    case 2:
        processor.cr2 = value;
        return;
    case 3:
        return writeCr3(processor, value);
    case 4:
        return writeCr4(processor, value);
    default:
        throwInvalidOpcode();
    }
}

} // namespace namsan
