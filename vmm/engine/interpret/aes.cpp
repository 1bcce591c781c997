// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/immediate_on_host.h"
#include "vmm/engine/interpret/integers_on_host.h"
#include "vmm/engine/interpret/simd_handlers.h"

// AES and PCLMULQDQ, where the host has them. Intel SDM volume 1, 12.13.
namespace namsan {

namespace {

NAMSAN_WITH_IMMEDIATE(HostKeygenassist, "aeskeygenassist");
NAMSAN_WITH_IMMEDIATE(HostPclmulqdq, "pclmulqdq");

template <class Host, unsigned count>
void byImmediate(Processor& processor, const Instruction& instruction, unsigned immediate)
{
    requireSse(processor);
    const Xmm source = readXmmRm<16>(processor, instruction);
    Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
    withImmediate<Host, count>(immediate)(value, source);
    setXmm(processor, instruction.reg, value);
}

void assistKeyGeneration(Processor& processor, const Instruction& instruction)
{
    byImmediate<HostKeygenassist, 256>(processor, instruction, instruction.immediate & 0xff);
}

// Bit 0 chooses the destination's half, bit 4 the source's; others are ignored.
void multiplyWithoutCarry(Processor& processor, const Instruction& instruction)
{
    byImmediate<HostPclmulqdq, 18>(processor, instruction, instruction.immediate & 0x11);
}

} // namespace

void bindAes(HandlerTable& table)
{
    table.bind(Operation::Aesimc, xmmBinary<NAMSAN_XMM("aesimc")>);
    table.bind(Operation::Aesenc, xmmBinary<NAMSAN_XMM("aesenc")>);
    table.bind(Operation::Aesenclast, xmmBinary<NAMSAN_XMM("aesenclast")>);
    table.bind(Operation::Aesdec, xmmBinary<NAMSAN_XMM("aesdec")>);
    table.bind(Operation::Aesdeclast, xmmBinary<NAMSAN_XMM("aesdeclast")>);
    table.bind(Operation::Aeskeygenassist, assistKeyGeneration);
    table.bind(Operation::Pclmulqdq, multiplyWithoutCarry);
}

} // namespace namsan
