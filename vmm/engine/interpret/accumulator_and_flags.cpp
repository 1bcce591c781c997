// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/general_handlers.h"
#include "vmm/engine/interpret/operand_access.h"

namespace namsan {

namespace {

constexpr unsigned ah = 4; // the number of AH among byte registers

void executeCbw(Processor& processor, const Instruction&)
{
    const auto al = static_cast<int8_t>(readRegister<uint8_t>(processor, Eax));
    writeRegister<uint16_t>(processor, Eax, static_cast<uint16_t>(al));
}
void executeCwde(Processor& processor, const Instruction&)
{
    processor.gpr[Eax] = static_cast<uint32_t>(static_cast<int16_t>(readRegister<uint16_t>(processor, Eax)));
}
void executeCwd(Processor& processor, const Instruction&)
{
    writeRegister<uint16_t>(processor, Edx, (processor.gpr[Eax] & 0x8000) ? 0xffff : 0);
}
void executeCdq(Processor& processor, const Instruction&)
{
    processor.gpr[Edx] = (processor.gpr[Eax] & 0x80000000) ? 0xffffffff : 0;
}

void executeLahf(Processor& processor, const Instruction&)
{
    writeRegister<uint8_t>(processor, ah, static_cast<uint8_t>(processor.arithmeticFlags >> 8));
}
void executeSahf(Processor& processor, const Instruction&)
{
    const uint32_t overflow = (processor.arithmeticFlags & host_flags::overflow) ? eflags::overflow : 0;
    processor.arithmeticFlags = host_flags::fromEflags(readRegister<uint8_t>(processor, ah) | overflow);
}

void executeClc(Processor& processor, const Instruction&)
{
    processor.arithmeticFlags &= static_cast<uint16_t>(~host_flags::carry);
}
void executeStc(Processor& processor, const Instruction&)
{
    processor.arithmeticFlags |= host_flags::carry;
}
void executeCmc(Processor& processor, const Instruction&)
{
    processor.arithmeticFlags ^= host_flags::carry;
}
void executeCld(Processor& processor, const Instruction&)
{
    processor.otherFlags &= ~eflags::direction;
}
void executeStd(Processor& processor, const Instruction&)
{
    processor.otherFlags |= eflags::direction;
}

void executeSalc(Processor& processor, const Instruction&)
{
    writeRegister<uint8_t>(processor, Eax, (processor.arithmeticFlags & host_flags::carry) ? 0xff : 0);
}

} // namespace

void bindAccumulatorAndFlags(HandlerTable& table)
{
    table.bind(Operation::SignExtendAccumulator, 2, executeCbw);
    table.bind(Operation::SignExtendAccumulator, 4, executeCwde);
    table.bind(Operation::SignExtendIntoDx, 2, executeCwd);
    table.bind(Operation::SignExtendIntoDx, 4, executeCdq);
    table.bind(Operation::Lahf, executeLahf);
    table.bind(Operation::Sahf, executeSahf);
    table.bind(Operation::Clc, executeClc);
    table.bind(Operation::Stc, executeStc);
    table.bind(Operation::Cmc, executeCmc);
    table.bind(Operation::Cld, executeCld);
    table.bind(Operation::Std, executeStd);
    table.bind(Operation::Salc, executeSalc);
}

} // namespace namsan
