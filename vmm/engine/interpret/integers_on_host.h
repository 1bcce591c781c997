// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/simd_operands.h"

namespace namsan {

// Instructions on packed integers: on the host's own units, which know no exceptions for them.

#define NAMSAN_MMX(mnemonic)                                                                                           \
    [](uint64_t& destination, uint64_t source) {                                                                       \
        asm volatile("movq %0, %%mm0\n\t" mnemonic " %1, %%mm0\n\tmovq %%mm0, %0\n\temms"                              \
                     : "+m"(destination)                                                                               \
                     : "m"(source)                                                                                     \
                     : "mm0");                                                                                         \
    }

// destination = f(destination, source); bytes: how much of an operand in memory is read.
template <auto host, unsigned bytes> void mmxBinary(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    uint64_t source = 0;
    if (instruction.rmIsMemory) {
        if constexpr (bytes == 4)
            source = processor.readOperand<uint32_t>(instruction);
        else
            source = processor.readOperand<uint64_t>(instruction);
    }
    MmxRegisters registers(processor);
    if (!instruction.rmIsMemory)
        source = registers.get(instruction.rm);
    uint64_t value = registers.get(instruction.reg);
    host(value, source);
    registers.set(instruction.reg, value);
}

#define NAMSAN_XMM(mnemonic)                                                                                           \
    [](Xmm& destination, Xmm source) { asm(mnemonic " %1, %0" : "+x"(destination) : "x"(source)); }

// bytes: how much of an operand in memory is read.
template <auto host, unsigned bytes = 16> void xmmBinary(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<bytes>(processor, instruction);
    Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
    host(value, source);
    setXmm(processor, instruction.reg, value);
}

} // namespace namsan
