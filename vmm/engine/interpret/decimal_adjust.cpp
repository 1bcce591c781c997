// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/general_handlers.h"
#include "vmm/engine/interpret/operand_access.h"

#include <bit>

// 64-bit hosts have lost these instructions, so here they are by the manual's own pseudocode (Intel SDM volume 2).
// Flags that it leaves undefined are those of the addition or subtraction that processors do inside, or cleared.
namespace namsan {

namespace {

constexpr unsigned ah = 4; // the number of AH among byte registers

void setResultFlags(Processor& processor, uint8_t result, bool carry, bool auxiliary, bool overflow = false)
{
    uint32_t flags = 0;
    flags |= carry ? eflags::carry : 0;
    flags |= auxiliary ? eflags::auxiliary : 0;
    flags |= overflow ? eflags::overflow : 0;
    flags |= result == 0 ? eflags::zero : 0;
    flags |= (result & 0x80) ? eflags::sign : 0;
    flags |= std::popcount(result) % 2 == 0 ? eflags::parity : 0;
    processor.arithmeticFlags = host_flags::fromEflags(flags);
}

template <bool subtract> void adjustPacked(Processor& processor, const Instruction&)
{
    const auto old = readRegister<uint8_t>(processor, Eax);
    const bool oldCarry = processor.arithmeticFlags & host_flags::carry;
    const bool auxiliary = (old & 15) > 9 || (processor.arithmeticFlags & host_flags::auxiliary);
    const bool high = old > 0x99 || oldCarry;
    const unsigned adjustment = (auxiliary ? 6u : 0u) + (high ? 0x60u : 0u);
    const auto al = static_cast<uint8_t>(subtract ? old - adjustment : old + adjustment);
    // DAS: the borrow of the low digit's correction counts even where the high digit needs none.
    const bool carry = high || (subtract && auxiliary && old < 6);
    writeRegister<uint8_t>(processor, Eax, al);
    setResultFlags(processor, al, carry, auxiliary);
}

template <bool subtract> void adjustUnpacked(Processor& processor, const Instruction&)
{
    const auto ax = readRegister<uint16_t>(processor, Eax);
    const bool adjust = (ax & 15) > 9 || (processor.arithmeticFlags & host_flags::auxiliary);
    unsigned result = ax;
    if (adjust)
        result = subtract ? result - 0x106u : result + 0x106u;
    const auto low = static_cast<uint8_t>(result);
    writeRegister<uint16_t>(processor, Eax, static_cast<uint16_t>(result & 0xff0f));
    setResultFlags(processor, low, adjust, adjust);
}

void executeAam(Processor& processor, const Instruction& instruction)
{
    const auto base = static_cast<uint8_t>(instruction.immediate);
    if (base == 0)
        throw Fault { Exception::DivideError, {} };
    const auto old = readRegister<uint8_t>(processor, Eax);
    const auto al = static_cast<uint8_t>(old % base);
    writeRegister<uint8_t>(processor, ah, static_cast<uint8_t>(old / base));
    writeRegister<uint8_t>(processor, Eax, al);
    setResultFlags(processor, al, false, false);
}

void executeAad(Processor& processor, const Instruction& instruction)
{
    const auto high = readRegister<uint8_t>(processor, ah);
    const auto al = static_cast<uint8_t>(readRegister<uint8_t>(processor, Eax) + high * (instruction.immediate & 0xff));
    writeRegister<uint16_t>(processor, Eax, al);
    setResultFlags(processor, al, false, false);
}

} // namespace

void bindDecimalAdjust(HandlerTable& table)
{
    table.bind(Operation::Daa, adjustPacked<false>);
    table.bind(Operation::Das, adjustPacked<true>);
    table.bind(Operation::Aaa, adjustUnpacked<false>);
    table.bind(Operation::Aas, adjustUnpacked<true>);
    table.bind(Operation::Aam, executeAam);
    table.bind(Operation::Aad, executeAad);
}

} // namespace namsan
