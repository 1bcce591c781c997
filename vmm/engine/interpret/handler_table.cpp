// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"

#include "vmm/engine/interpret/fault.h"

#include <bit>

namespace namsan {

namespace {

void raiseInvalidOpcode(Processor&, const Instruction&)
{
    throwInvalidOpcode();
}

unsigned slotOf(unsigned width)
{
    return static_cast<unsigned>(std::countr_zero(width));
}

} // namespace

HandlerTable::HandlerTable()
{
    for (Slots& slots : m_slots)
        for (auto& forms : slots.byWidthAndForm)
            forms.fill(raiseInvalidOpcode);
    bindGeneralHandlers(*this);
    bindSystemHandlers(*this);
    bindX87Handlers(*this);
    bindSimdHandlers(*this);
}

void HandlerTable::bind(Operation operation, Handler handler)
{
    for (const unsigned width : { 1u, 2u, 4u })
        bind(operation, width, handler);
}

void HandlerTable::bind(Operation operation, unsigned width, Handler handler)
{
    bind(operation, width, RmForm::Register, handler);
    bind(operation, width, RmForm::Memory, handler);
}

void HandlerTable::bind(Operation operation, unsigned width, RmForm form, Handler handler)
{
    m_slots[static_cast<size_t>(operation)].byWidthAndForm[slotOf(width)][static_cast<size_t>(form)] = handler;
}

void HandlerTable::bind(Operation operation, Chooser chooser)
{
    m_slots[static_cast<size_t>(operation)].chooser = chooser;
}

Handler HandlerTable::find(Operation operation, unsigned width, RmForm form) const
{
    return m_slots[static_cast<size_t>(operation)].byWidthAndForm[slotOf(width)][static_cast<size_t>(form)];
}

Handler HandlerTable::find(const InstructionEntry& entry, unsigned width, RmForm form) const
{
    const Chooser chooser = m_slots[static_cast<size_t>(entry.operation)].chooser;
    return chooser ? chooser(entry, width, form) : find(entry.operation, width, form);
}

unsigned mainWidth(const InstructionEntry& entry, unsigned operandSize)
{
    for (const Operand operand : entry.operands) {
        switch (operand) {
        case Operand::Rm8:
        case Operand::Reg8:
        case Operand::OpcodeReg8:
        case Operand::Al:
        case Operand::Mem8:
        case Operand::Offset8:
        case Operand::StringSourceB:
        case Operand::StringDestinationB:
            return 1;
        case Operand::Rm16:
        case Operand::Reg16:
        case Operand::Ax:
        case Operand::Mem16:
        case Operand::SegmentReg:
            return 2;
        case Operand::Rm32:
        case Operand::Reg32:
        case Operand::Mem32:
        case Operand::ControlReg:
        case Operand::DebugReg:
            return 4;
        case Operand::None:
        case Operand::Imm8:
        case Operand::Imm16:
        case Operand::Dx:
        case Operand::Cl:
        case Operand::One:
            break;
        default:
            return operandSize;
        }
    }
    return operandSize;
}

} // namespace namsan
