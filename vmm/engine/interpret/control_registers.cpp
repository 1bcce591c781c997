// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/control_registers.h"

namespace namsan {

namespace {

// Bits that exist; others of CR0 read as 0 and may be written without effect.
constexpr uint32_t cr0Bits = cr0::protectionEnable | cr0::monitorCoprocessor | cr0::emulation | cr0::taskSwitched
    | cr0::extensionType | cr0::numericError | cr0::writeProtect | cr0::alignmentMask | cr0::notWriteThrough
    | cr0::cacheDisable | cr0::paging;

constexpr unsigned debugStatus = 6;
constexpr unsigned debugControl = 7;
constexpr uint32_t dr6AlwaysOne = 0xffff0ff0;
constexpr uint32_t dr6AlwaysZero = 1 << 12;
constexpr uint32_t dr6AccessDetected = 1 << 13; // BD
constexpr uint32_t dr7AlwaysOne = 1 << 10;
constexpr uint32_t dr7AlwaysZero = 0xd800;
constexpr uint32_t dr7GeneralDetect = 1 << 13; // GD

void applyControl(Processor& processor)
{
    processor.memory.setControl({ processor.cr0, processor.cr3, processor.cr4 });
    processor.leaveBlock = true;
}

unsigned debugRegisterIndex(Processor& processor, unsigned number)
{
    unsigned index = number;
    if (number == 4 || number == 5) {
        if (processor.cr4 & cr4::debuggingExtensions)
            throwInvalidOpcode();
        index += 2;
    }
    if (processor.dr[debugControl] & dr7GeneralDetect) {
        // Cleared, so that the handler can get at the registers.
        processor.dr[debugControl] &= ~dr7GeneralDetect;
        processor.dr[debugStatus] |= dr6AccessDetected;
        throw Fault { Exception::Debug, {} };
    }
    return index;
}

} // namespace

void writeCr0(Processor& processor, uint32_t value)
{
    if ((value & cr0::paging) && !(value & cr0::protectionEnable))
        throwGeneralProtection();
    if ((value & cr0::notWriteThrough) && !(value & cr0::cacheDisable))
        throwGeneralProtection();
    processor.cr0 = (value & cr0Bits) | cr0::extensionType;
    applyControl(processor);
}

void writeCr3(Processor& processor, uint32_t value)
{
    processor.cr3 = value;
    processor.memory.reloadCr3(value);
    processor.leaveBlock = true;
}

void writeCr4(Processor& processor, uint32_t value)
{
    if (value & ~processor.model.cr4Bits())
        throwGeneralProtection();
    processor.cr4 = value;
    applyControl(processor);
}

void clearTaskSwitched(Processor& processor)
{
    processor.cr0 &= ~cr0::taskSwitched;
    applyControl(processor);
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

uint32_t readDebugRegister(Processor& processor, unsigned number)
{
    return processor.dr[debugRegisterIndex(processor, number)];
}

void writeDebugRegister(Processor& processor, unsigned number, uint32_t value)
{
    const unsigned index = debugRegisterIndex(processor, number);
    if (index == debugStatus)
        value = (value | dr6AlwaysOne) & ~dr6AlwaysZero;
    else if (index == debugControl)
        value = (value | dr7AlwaysOne) & ~dr7AlwaysZero;
    processor.dr[index] = value;
}

} // namespace namsan
