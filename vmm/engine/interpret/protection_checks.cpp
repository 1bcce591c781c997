// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/privilege.h"
#include "vmm/engine/interpret/segment_loading.h"
#include "vmm/engine/interpret/system_handlers.h"

#include <algorithm>
#include <optional>

// Instructions that ask about selectors and answer in ZF. Intel SDM volume 3, 5.10.
namespace namsan {

namespace {

void setZero(Processor& processor, bool zero)
{
    processor.arithmeticFlags = static_cast<uint16_t>(
        zero ? processor.arithmeticFlags | host_flags::zero : processor.arithmeticFlags & ~host_flags::zero);
}

uint16_t selectorOperand(Processor& processor, const Instruction& instruction)
{
    return instruction.rmIsMemory ? processor.readOperand<uint16_t>(instruction)
                                  : static_cast<uint16_t>(processor.gpr[instruction.rm]);
}

// The descriptor, where there is one; page faults go on to who called.
std::optional<Descriptor> lookUp(Processor& processor, uint16_t selector)
{
    if (isNull(selector))
        return {};
    try {
        return fetchDescriptor(processor, selector);
    } catch (const Fault& fault) {
        if (fault.exception == Exception::PageFault)
            throw;
        return {};
    }
}

// Whether the level of now, weakened by the selector's RPL, may see the segment at all.
bool isVisible(const Processor& processor, uint16_t selector, const Descriptor& descriptor)
{
    return descriptor.isConformingCode() || std::max<unsigned>(processor.cpl, rplOf(selector)) <= descriptor.dpl();
}

bool hasAccessRights(const Descriptor& descriptor)
{
    switch (descriptor.type()) {
    case system_type::availableTss16:
    case system_type::ldt:
    case system_type::busyTss16:
    case system_type::callGate16:
    case system_type::taskGate:
    case system_type::availableTss32:
    case system_type::busyTss32:
    case system_type::callGate32:
        return true;
    default:
        return !descriptor.isSystem();
    }
}

bool hasLimit(const Descriptor& descriptor)
{
    const bool isGate = descriptor.type() == system_type::callGate16 || descriptor.type() == system_type::taskGate
        || descriptor.type() == system_type::callGate32;
    return hasAccessRights(descriptor) && !(descriptor.isSystem() && isGate);
}

void answer(Processor& processor, const Instruction& instruction, std::optional<uint32_t> value)
{
    setZero(processor, value.has_value());
    if (!value)
        return;
    uint32_t& destination = processor.gpr[instruction.reg];
    destination = instruction.operandSize == 4 ? *value : (destination & 0xffff0000) | (*value & 0xffff);
}

void loadAccessRights(Processor& processor, const Instruction& instruction)
{
    requireProtectedMode(processor);
    constexpr uint32_t rightsMask = 0x00f0ff00;
    const uint16_t selector = selectorOperand(processor, instruction);
    const auto descriptor = lookUp(processor, selector);
    if (descriptor && hasAccessRights(*descriptor) && isVisible(processor, selector, *descriptor))
        answer(processor, instruction, descriptor->high & rightsMask);
    else
        answer(processor, instruction, {});
}

void loadSegmentLimit(Processor& processor, const Instruction& instruction)
{
    requireProtectedMode(processor);
    const uint16_t selector = selectorOperand(processor, instruction);
    const auto descriptor = lookUp(processor, selector);
    if (descriptor && hasLimit(*descriptor) && isVisible(processor, selector, *descriptor))
        answer(processor, instruction, descriptor->limit());
    else
        answer(processor, instruction, {});
}

void verifyRead(Processor& processor, const Instruction& instruction)
{
    requireProtectedMode(processor);
    const uint16_t selector = selectorOperand(processor, instruction);
    const auto descriptor = lookUp(processor, selector);
    setZero(processor, descriptor && descriptor->isReadable() && isVisible(processor, selector, *descriptor));
}

void verifyWrite(Processor& processor, const Instruction& instruction)
{
    requireProtectedMode(processor);
    const uint16_t selector = selectorOperand(processor, instruction);
    const auto descriptor = lookUp(processor, selector);
    setZero(processor, descriptor && descriptor->isWritable() && isVisible(processor, selector, *descriptor));
}

// ARPL: raises the RPL of a selector that somebody else gave to that of who gave it.
void adjustRequestedPrivilege(Processor& processor, const Instruction& instruction)
{
    requireProtectedMode(processor);
    const uint16_t selector = selectorOperand(processor, instruction);
    const unsigned giver = rplOf(processor.gpr[instruction.reg]);
    const bool adjusted = rplOf(selector) < giver;
    if (adjusted) {
        const auto raised = static_cast<uint16_t>((selector & 0xfffc) | giver);
        if (instruction.rmIsMemory)
            processor.writeOperand<uint16_t>(instruction, raised);
        else
            processor.gpr[instruction.rm] = (processor.gpr[instruction.rm] & 0xffff0000) | raised;
    }
    setZero(processor, adjusted);
}

} // namespace

void bindProtectionChecks(HandlerTable& table)
{
    table.bind(Operation::Lar, loadAccessRights);
    table.bind(Operation::Lsl, loadSegmentLimit);
    table.bind(Operation::Verr, verifyRead);
    table.bind(Operation::Verw, verifyWrite);
    table.bind(Operation::Arpl, adjustRequestedPrivilege);
}

} // namespace namsan
