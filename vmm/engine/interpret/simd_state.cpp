// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/simd_operands.h"

// FXSAVE, FXRSTOR, MXCSR, fences and CLFLUSH: all of 0F AE. Intel SDM volume 1, 10.5 and 11.6.
namespace namsan {

namespace {

// FXSAVE writes up to the last XMM register that exists; what follows in the 512 bytes stays as it is.
constexpr unsigned savedBytes = offsetof(FxsaveImage, unused);
constexpr unsigned areaBytes = sizeof(FxsaveImage);

// Both want the whole area accessible and aligned, and ask CR0 only: CR4.OSFXSR promises that the system knows of
// XMM registers, not that the instructions exist.
void save(Processor& processor, const Instruction& instruction)
{
    requireX87(processor);
    const uint32_t linear = operandForWrite(processor, instruction, areaBytes);
    requireAlignment16(linear);
    processor.memory.probeWrite(linear, areaBytes);
    FxsaveImage image = imageOf(processor.fxsave);
    image.mxcsrMask = mxcsr::writable;
    writeBytes(processor, linear, std::span(reinterpret_cast<const uint8_t*>(&image), savedBytes));
}

void restore(Processor& processor, const Instruction& instruction)
{
    requireX87(processor);
    const uint32_t linear = operandForRead(processor, instruction, areaBytes);
    requireAlignment16(linear);
    processor.memory.probeRead(linear, areaBytes);
    FxsaveImage loaded = imageOf(processor.fxsave);
    readBytes(processor, linear, std::span(reinterpret_cast<uint8_t*>(&loaded), savedBytes));
    if (loaded.mxcsr & ~mxcsr::writable)
        throwGeneralProtection();
    loaded.mxcsrMask = mxcsr::writable;
    loaded.reserved5 = 0;
    loaded.opcode &= 0x7ff;
    loaded.reserved14 = 0;
    loaded.reserved22 = 0;
    for (Register80& value : loaded.st)
        value.reserved = {};
    X87 x87(processor);
    x87.image() = loaded;
    x87.setControl(loaded.control);
}

void loadMxcsr(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint32_t value = processor.readOperand<uint32_t>(instruction);
    if (value & ~mxcsr::writable)
        throwGeneralProtection();
    imageOf(processor.fxsave).mxcsr = value;
}

void storeMxcsr(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    processor.writeOperand<uint32_t>(instruction, imageOf(processor.fxsave).mxcsr);
}

// One vCPU sees its own accesses in order already.
void fence(Processor&, const Instruction&) { }

// There is no cache to flush; the address is checked as for a load of one byte.
void flushLine(Processor& processor, const Instruction& instruction)
{
    processor.memory.probeRead(operandForRead(processor, instruction, 1), 1);
}

} // namespace

void bindSimdState(HandlerTable& table)
{
    table.bind(Operation::Fxsave, save);
    table.bind(Operation::Fxrstor, restore);
    table.bind(Operation::Ldmxcsr, loadMxcsr);
    table.bind(Operation::Stmxcsr, storeMxcsr);
    table.bind(Operation::Fence, fence);
    table.bind(Operation::Clflush, flushLine);
}

void bindSimdHandlers(HandlerTable& table)
{
    bindMmxArithmetic(table);
    bindMmxMoves(table);
    bindSseArithmetic(table);
    bindSseComparisons(table);
    bindSseConversions(table);
    bindSseIntegers(table);
    bindSseMoves(table);
    bindSseShuffles(table);
    bindSimdState(table);
    bindSse3(table);
    bindSsse3(table);
    bindSse4Integers(table);
    bindSse4Elements(table);
    bindSse4Reals(table);
    bindSse4Strings(table);
    bindAes(table);
}

} // namespace namsan
