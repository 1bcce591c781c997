// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/sse_host.h"

// SSE3 but for FISTTP (x87_moves.cpp) and LDDQU, an unaligned load like another. Intel SDM volume 1, 12.3.
namespace namsan {

namespace {

using Dwords = std::array<uint32_t, 4>;

void duplicateDouble(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint64_t low = instruction.rmIsMemory ? processor.readOperand<uint64_t>(instruction)
                                                : xmmRegister(processor, instruction.rm).quads[0];
    xmmRegister(processor, instruction.reg).quads = { low, low };
}

// MOVSLDUP and MOVSHDUP: each of the even singles twice, or each of the odd.
template <unsigned first> void duplicateSingles(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto source = std::bit_cast<Dwords>(readXmmRm<16>(processor, instruction));
    const Dwords result { source[first], source[first], source[first + 2], source[first + 2] };
    xmmRegister(processor, instruction.reg) = std::bit_cast<RegisterXmm>(result);
}

} // namespace

void bindSse3(HandlerTable& table)
{
    table.bind(Operation::Addsubps, sseBinary<NAMSAN_SSE("addsubps"), 16, Underflow::Singles>);
    table.bind(Operation::Addsubpd, sseBinary<NAMSAN_SSE("addsubpd"), 16, Underflow::Doubles>);
    table.bind(Operation::Haddps, sseBinary<NAMSAN_SSE("haddps"), 16, Underflow::Singles>);
    table.bind(Operation::Haddpd, sseBinary<NAMSAN_SSE("haddpd"), 16, Underflow::Doubles>);
    table.bind(Operation::Hsubps, sseBinary<NAMSAN_SSE("hsubps"), 16, Underflow::Singles>);
    table.bind(Operation::Hsubpd, sseBinary<NAMSAN_SSE("hsubpd"), 16, Underflow::Doubles>);
    table.bind(Operation::Movddup, duplicateDouble);
    table.bind(Operation::Movsldup, duplicateSingles<0>);
    table.bind(Operation::Movshdup, duplicateSingles<1>);
}

} // namespace namsan
