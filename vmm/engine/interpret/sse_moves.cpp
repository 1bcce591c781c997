// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/simd_operands.h"

// Moves of XMM registers or parts of them. That a store is non-temporal is a hint about caches, of which a guest's
// memory has none here. Intel SDM volume 1, 10.4.1.1, 11.4.1.1, 11.4.2 and 11.4.4.
namespace namsan {

namespace {

void loadWhole(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    setXmm(processor, instruction.reg, readXmmRm<16>(processor, instruction));
}

void storeWhole(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const RegisterXmm& value = xmmRegister(processor, instruction.reg);
    if (instruction.rmIsMemory)
        writeXmm128(processor, instruction, value);
    else
        xmmRegister(processor, instruction.rm) = value;
}

// MOVSS, MOVSD: from memory the rest becomes 0, from a register it stays.
void loadSingle(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    RegisterXmm& destination = xmmRegister(processor, instruction.reg);
    if (instruction.rmIsMemory) {
        destination.quads = { processor.readOperand<uint32_t>(instruction), 0 };
        return;
    }
    const uint64_t low = xmmRegister(processor, instruction.rm).quads[0] & 0xffffffff;
    destination.quads[0] = (destination.quads[0] & ~uint64_t { 0xffffffff }) | low;
}
void loadDouble(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    RegisterXmm& destination = xmmRegister(processor, instruction.reg);
    if (instruction.rmIsMemory)
        destination.quads = { processor.readOperand<uint64_t>(instruction), 0 };
    else
        destination.quads[0] = xmmRegister(processor, instruction.rm).quads[0];
}
void storeSingle(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint64_t low = xmmRegister(processor, instruction.reg).quads[0];
    if (instruction.rmIsMemory)
        return processor.writeOperand<uint32_t>(instruction, static_cast<uint32_t>(low));
    uint64_t& destination = xmmRegister(processor, instruction.rm).quads[0];
    destination = (destination & ~uint64_t { 0xffffffff }) | (low & 0xffffffff);
}
void storeDouble(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint64_t low = xmmRegister(processor, instruction.reg).quads[0];
    if (instruction.rmIsMemory)
        return processor.writeOperand<uint64_t>(instruction, low);
    xmmRegister(processor, instruction.rm).quads[0] = low;
}

// MOVQ between XMM registers and memory: the upper half becomes 0 in every register that is written.
void loadQuad(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint64_t low = instruction.rmIsMemory ? processor.readOperand<uint64_t>(instruction)
                                                : xmmRegister(processor, instruction.rm).quads[0];
    xmmRegister(processor, instruction.reg).quads = { low, 0 };
}
void storeQuad(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint64_t low = xmmRegister(processor, instruction.reg).quads[0];
    if (instruction.rmIsMemory)
        return processor.writeOperand<uint64_t>(instruction, low);
    xmmRegister(processor, instruction.rm).quads = { low, 0 };
}

// MOVLPS, MOVHPS and their likes: one half with memory.
template <unsigned half> void loadHalf(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    xmmRegister(processor, instruction.reg).quads[half] = processor.readOperand<uint64_t>(instruction);
}
template <unsigned half> void storeHalf(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    processor.writeOperand<uint64_t>(instruction, xmmRegister(processor, instruction.reg).quads[half]);
}
template <unsigned to, unsigned from> void moveHalf(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    xmmRegister(processor, instruction.reg).quads[to] = xmmRegister(processor, instruction.rm).quads[from];
}

void loadDword(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint32_t value = readRm32(processor, instruction);
    xmmRegister(processor, instruction.reg).quads = { value, 0 };
}
void storeDword(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto value = static_cast<uint32_t>(xmmRegister(processor, instruction.reg).quads[0]);
    if (instruction.rmIsMemory)
        processor.writeOperand<uint32_t>(instruction, value);
    else
        processor.gpr[instruction.rm] = value;
}

void storeMasked(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto bytes = std::bit_cast<std::array<uint8_t, 16>>(xmmRegister(processor, instruction.reg));
    const auto mask = std::bit_cast<std::array<uint8_t, 16>>(xmmRegister(processor, instruction.rm));
    writeMasked(processor, instruction, bytes, mask);
}

} // namespace

void bindSseMoves(HandlerTable& table)
{
    table.bind(Operation::LoadXmm, loadWhole);
    table.bind(Operation::StoreXmm, storeWhole);
    table.bind(Operation::LoadSingle, loadSingle);
    table.bind(Operation::StoreSingle, storeSingle);
    table.bind(Operation::LoadDouble, loadDouble);
    table.bind(Operation::StoreDouble, storeDouble);
    table.bind(Operation::LoadQuad, loadQuad);
    table.bind(Operation::StoreQuad, storeQuad);
    table.bind(Operation::LoadLow, loadHalf<0>);
    table.bind(Operation::LoadHigh, loadHalf<1>);
    table.bind(Operation::StoreLow, storeHalf<0>);
    table.bind(Operation::StoreHigh, storeHalf<1>);
    table.bind(Operation::Movhlps, moveHalf<0, 1>);
    table.bind(Operation::Movlhps, moveHalf<1, 0>);
    table.bind(Operation::MovdToXmm, loadDword);
    table.bind(Operation::MovdFromXmm, storeDword);
    table.bind(Operation::Maskmovdqu, storeMasked);
}

} // namespace namsan
