// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/integers_on_host.h"
#include "vmm/engine/interpret/simd_handlers.h"

// SSE4 on packed integers: products, minima, comparisons, packing, widening. Intel SDM volume 1, 12.8.
namespace namsan {

namespace {

// ZF: destination AND source is 0; CF: source AND NOT destination is. The others become 0.
void test(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<16>(processor, instruction);
    const Xmm destination = xmmOf(xmmRegister(processor, instruction.reg));
    uint16_t flags;
    asm("ptest %2, %1\n\tlahf\n\tseto %%al" : "=a"(flags) : "x"(destination), "x"(source) : "cc");
    processor.arithmeticFlags = flags;
}

// Sums of four absolute differences, at eight places of the destination that follow each other. Immediate bit 2
// chooses the destination's block of 11 bytes, bits 1 and 0 the source's four bytes.
void sumDifferences(Processor& processor, const Instruction& instruction)
{
    using Bytes = std::array<uint8_t, 16>;
    requireSse(processor);
    const auto source = std::bit_cast<Bytes>(readXmmRm<16>(processor, instruction));
    const auto destination = std::bit_cast<Bytes>(xmmRegister(processor, instruction.reg));
    const unsigned firstOfSource = 4 * (instruction.immediate & 3);
    const unsigned firstOfDestination = instruction.immediate & 4;
    std::array<uint16_t, 8> sums {};
    for (unsigned i = 0; i < sums.size(); ++i)
        for (unsigned j = 0; j < 4; ++j) {
            const int difference = destination[firstOfDestination + i + j] - source[firstOfSource + j];
            sums[i] = static_cast<uint16_t>(sums[i] + (difference < 0 ? -difference : difference));
        }
    xmmRegister(processor, instruction.reg) = std::bit_cast<RegisterXmm>(sums);
}

#define NAMSAN_BIND_SSE4(Name, mnemonic, bytes) table.bind(Operation::Name, xmmBinary<NAMSAN_XMM(mnemonic), bytes>)

void bindWidening(HandlerTable& table)
{
    NAMSAN_BIND_SSE4(Pmovsxbw, "pmovsxbw", 8);
    NAMSAN_BIND_SSE4(Pmovsxbd, "pmovsxbd", 4);
    NAMSAN_BIND_SSE4(Pmovsxbq, "pmovsxbq", 2);
    NAMSAN_BIND_SSE4(Pmovsxwd, "pmovsxwd", 8);
    NAMSAN_BIND_SSE4(Pmovsxwq, "pmovsxwq", 4);
    NAMSAN_BIND_SSE4(Pmovsxdq, "pmovsxdq", 8);
    NAMSAN_BIND_SSE4(Pmovzxbw, "pmovzxbw", 8);
    NAMSAN_BIND_SSE4(Pmovzxbd, "pmovzxbd", 4);
    NAMSAN_BIND_SSE4(Pmovzxbq, "pmovzxbq", 2);
    NAMSAN_BIND_SSE4(Pmovzxwd, "pmovzxwd", 8);
    NAMSAN_BIND_SSE4(Pmovzxwq, "pmovzxwq", 4);
    NAMSAN_BIND_SSE4(Pmovzxdq, "pmovzxdq", 8);
}

void bindMinimaAndMaxima(HandlerTable& table)
{
    NAMSAN_BIND_SSE4(Pminsb, "pminsb", 16);
    NAMSAN_BIND_SSE4(Pminsd, "pminsd", 16);
    NAMSAN_BIND_SSE4(Pminuw, "pminuw", 16);
    NAMSAN_BIND_SSE4(Pminud, "pminud", 16);
    NAMSAN_BIND_SSE4(Pmaxsb, "pmaxsb", 16);
    NAMSAN_BIND_SSE4(Pmaxsd, "pmaxsd", 16);
    NAMSAN_BIND_SSE4(Pmaxuw, "pmaxuw", 16);
    NAMSAN_BIND_SSE4(Pmaxud, "pmaxud", 16);
    NAMSAN_BIND_SSE4(Phminposuw, "phminposuw", 16);
}

} // namespace

void bindSse4Integers(HandlerTable& table)
{
    bindWidening(table);
    bindMinimaAndMaxima(table);
    NAMSAN_BIND_SSE4(Pmuldq, "pmuldq", 16);
    NAMSAN_BIND_SSE4(Pmulld, "pmulld", 16);
    NAMSAN_BIND_SSE4(Pcmpeqq, "pcmpeqq", 16);
    NAMSAN_BIND_SSE4(Pcmpgtq, "pcmpgtq", 16);
    NAMSAN_BIND_SSE4(Packusdw, "packusdw", 16);
    table.bind(Operation::Ptest, test);
    table.bind(Operation::Mpsadbw, sumDifferences);
}

} // namespace namsan
