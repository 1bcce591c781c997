// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/simd_operands.h"

// Shuffles, unpacking of reals, single words in and out. The shuffles' pattern is an immediate of the host's
// instruction and there are 256 of each, so these are written out. Intel SDM volume 1, 10.4.2.2, 11.4.1.4 and 11.4.2.
namespace namsan {

namespace {

using Words = std::array<uint16_t, 8>;
using Dwords = std::array<uint32_t, 4>;

// The i-th choice of an immediate that has two bits for each.
unsigned choice(uint32_t pattern, unsigned i)
{
    return pattern >> (2 * i) & 3;
}

template <class T> void put(Processor& processor, const Instruction& instruction, const T& value)
{
    xmmRegister(processor, instruction.reg) = std::bit_cast<RegisterXmm>(value);
}

void shuffleDwords(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto source = std::bit_cast<Dwords>(readXmmRm<16>(processor, instruction));
    Dwords result;
    for (unsigned i = 0; i < 4; ++i)
        result[i] = source[choice(instruction.immediate, i)];
    put(processor, instruction, result);
}

// half: 0 for PSHUFLW, 4 for PSHUFHW
template <unsigned half> void shuffleWords(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto source = std::bit_cast<Words>(readXmmRm<16>(processor, instruction));
    Words result = source;
    for (unsigned i = 0; i < 4; ++i)
        result[half + i] = source[half + choice(instruction.immediate, i)];
    put(processor, instruction, result);
}

void shuffleMmxWords(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    const uint64_t operand = instruction.rmIsMemory ? processor.readOperand<uint64_t>(instruction) : 0;
    MmxRegisters registers(processor);
    const uint64_t source = instruction.rmIsMemory ? operand : registers.get(instruction.rm);
    uint64_t result = 0;
    for (unsigned i = 0; i < 4; ++i)
        result |= (source >> (16 * choice(instruction.immediate, i)) & 0xffff) << (16 * i);
    registers.set(instruction.reg, result);
}

void shuffleSingles(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto source = std::bit_cast<Dwords>(readXmmRm<16>(processor, instruction));
    const auto destination = std::bit_cast<Dwords>(xmmRegister(processor, instruction.reg));
    Dwords result;
    for (unsigned i = 0; i < 4; ++i)
        result[i] = (i < 2 ? destination : source)[choice(instruction.immediate, i)];
    put(processor, instruction, result);
}

void shuffleDoubles(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto source = std::bit_cast<RegisterXmm>(readXmmRm<16>(processor, instruction));
    const RegisterXmm destination = xmmRegister(processor, instruction.reg);
    RegisterXmm result;
    result.quads[0] = destination.quads[instruction.immediate & 1];
    result.quads[1] = source.quads[instruction.immediate >> 1 & 1];
    put(processor, instruction, result);
}

// Unpacking moves bits; it knows no exceptions.
#define NAMSAN_UNPACK(mnemonic)                                                                                        \
    [](Xmm& destination, Xmm source) { asm(mnemonic " %1, %0" : "+x"(destination) : "x"(source)); }

template <auto host> void unpack(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<16>(processor, instruction);
    Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
    host(value, source);
    setXmm(processor, instruction.reg, value);
}

uint16_t readRm16(Processor& processor, const Instruction& instruction)
{
    return instruction.rmIsMemory ? processor.readOperand<uint16_t>(instruction)
                                  : static_cast<uint16_t>(processor.gpr[instruction.rm]);
}

void insertWord(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint16_t word = readRm16(processor, instruction);
    auto words = std::bit_cast<Words>(xmmRegister(processor, instruction.reg));
    words[instruction.immediate & 7] = word;
    put(processor, instruction, words);
}

void insertWordMmx(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    const uint64_t word = readRm16(processor, instruction);
    const unsigned shift = 16 * (instruction.immediate & 3);
    MmxRegisters registers(processor);
    const uint64_t others = registers.get(instruction.reg) & ~(uint64_t { 0xffff } << shift);
    registers.set(instruction.reg, others | word << shift);
}

void extractWord(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto words = std::bit_cast<Words>(xmmRegister(processor, instruction.rm));
    processor.gpr[instruction.reg] = words[instruction.immediate & 7];
}

void extractWordMmx(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    const uint64_t value = MmxRegisters(processor).get(instruction.rm);
    processor.gpr[instruction.reg] = static_cast<uint16_t>(value >> (16 * (instruction.immediate & 3)));
}

} // namespace

void bindSseShuffles(HandlerTable& table)
{
    table.bind(Operation::Pshufd, shuffleDwords);
    table.bind(Operation::Pshuflw, shuffleWords<0>);
    table.bind(Operation::Pshufhw, shuffleWords<4>);
    table.bind(Operation::Pshufw, shuffleMmxWords);
    table.bind(Operation::Shufps, shuffleSingles);
    table.bind(Operation::Shufpd, shuffleDoubles);
    table.bind(Operation::Unpcklps, unpack<NAMSAN_UNPACK("unpcklps")>);
    table.bind(Operation::Unpcklpd, unpack<NAMSAN_UNPACK("unpcklpd")>);
    table.bind(Operation::Unpckhps, unpack<NAMSAN_UNPACK("unpckhps")>);
    table.bind(Operation::Unpckhpd, unpack<NAMSAN_UNPACK("unpckhpd")>);
    table.bind(Operation::PinsrwXmm, insertWord);
    table.bind(Operation::PinsrwMmx, insertWordMmx);
    table.bind(Operation::PextrwXmm, extractWord);
    table.bind(Operation::PextrwMmx, extractWordMmx);
}

} // namespace namsan
