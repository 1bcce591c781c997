// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/simd_operands.h"

// Moves of MMX registers, EMMS. Intel SDM volume 1, 9.4.1 and 9.4.8, 10.4.4 and 11.4.2.
namespace namsan {

namespace {

void loadQuad(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    const uint64_t operand = instruction.rmIsMemory ? processor.readOperand<uint64_t>(instruction) : 0;
    MmxRegisters registers(processor);
    registers.set(instruction.reg, instruction.rmIsMemory ? operand : registers.get(instruction.rm));
}

void storeQuad(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    const uint64_t value = mmxBeforeSwitch(processor, instruction.reg);
    if (instruction.rmIsMemory)
        processor.writeOperand<uint64_t>(instruction, value);
    MmxRegisters registers(processor);
    if (!instruction.rmIsMemory)
        registers.set(instruction.rm, value);
}

void loadDword(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    const uint32_t value = readRm32(processor, instruction);
    MmxRegisters(processor).set(instruction.reg, value);
}

void storeDword(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    const auto value = static_cast<uint32_t>(mmxBeforeSwitch(processor, instruction.reg));
    if (instruction.rmIsMemory)
        processor.writeOperand<uint32_t>(instruction, value);
    else
        processor.gpr[instruction.rm] = value;
    MmxRegisters switched(processor);
}

void fromXmm(Processor& processor, const Instruction& instruction)
{
    requireSseAndMmx(processor);
    MmxRegisters(processor).set(instruction.reg, xmmRegister(processor, instruction.rm).quads[0]);
}

void toXmm(Processor& processor, const Instruction& instruction)
{
    requireSseAndMmx(processor);
    xmmRegister(processor, instruction.reg).quads = { MmxRegisters(processor).get(instruction.rm), 0 };
}

void signMask(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    const uint64_t value = MmxRegisters(processor).get(instruction.rm);
    uint32_t mask = 0;
    for (unsigned i = 0; i < 8; ++i)
        mask |= static_cast<uint32_t>(value >> (8 * i + 7) & 1) << i;
    processor.gpr[instruction.reg] = mask;
}

void storeMasked(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    const auto bytes = std::bit_cast<std::array<uint8_t, 8>>(mmxBeforeSwitch(processor, instruction.reg));
    const auto mask = std::bit_cast<std::array<uint8_t, 8>>(mmxBeforeSwitch(processor, instruction.rm));
    writeMasked(processor, instruction, bytes, mask);
    MmxRegisters switched(processor);
}

void emptyState(Processor& processor, const Instruction&)
{
    requireMmx(processor);
    X87 x87(processor);
    x87.enterMmx();
    x87.image().validTags = 0;
}

} // namespace

void bindMmxMoves(HandlerTable& table)
{
    table.bind(Operation::LoadMmx, loadQuad);
    table.bind(Operation::StoreMmx, storeQuad);
    table.bind(Operation::MovdToMmx, loadDword);
    table.bind(Operation::MovdFromMmx, storeDword);
    table.bind(Operation::Movdq2q, fromXmm);
    table.bind(Operation::Movq2dq, toXmm);
    table.bind(Operation::PmovmskbMmx, signMask);
    table.bind(Operation::Maskmovq, storeMasked);
    table.bind(Operation::Emms, emptyState);
}

} // namespace namsan
