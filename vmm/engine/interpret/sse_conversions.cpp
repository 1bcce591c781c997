// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/sse_host.h"

// Conversions between singles, doubles and integers in XMM, MMX and general registers. Intel SDM volume 1, 10.4.3 and
// 11.4.1.6.
namespace namsan {

namespace {

// -- from and to general registers --------------------------------------------------------------------------------

#define NAMSAN_FROM_INTEGER(mnemonic)                                                                                  \
    [](Xmm& destination, uint32_t source) { asm volatile(mnemonic " %1, %0" : "+x"(destination) : "r"(source)); }

template <auto host> void fromInteger(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint32_t source = readRm32(processor, instruction);
    Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
    runSse<host>(processor, value, source);
    setXmm(processor, instruction.reg, value);
}

#define NAMSAN_TO_INTEGER(mnemonic)                                                                                    \
    [](uint32_t& destination, Xmm source) { asm volatile(mnemonic " %1, %0" : "=r"(destination) : "x"(source)); }

template <auto host, unsigned bytes> void toInteger(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<bytes>(processor, instruction);
    uint32_t value;
    runSse<host>(processor, value, source);
    processor.gpr[instruction.reg] = value;
}

// -- from and to MMX registers ----------------------------------------------------------------------------------

#define NAMSAN_FROM_MMX(mnemonic)                                                                                      \
    [](Xmm& destination, const uint64_t& source) {                                                                     \
        asm volatile("movq %1, %%mm0\n\t" mnemonic " %%mm0, %0\n\temms" : "+x"(destination) : "m"(source) : "mm0");    \
    }

// From memory it touches no MMX register, so it neither switches to MMX nor cares for x87 exceptions.
template <auto host> void fromMmx(Processor& processor, const Instruction& instruction)
{
    if (instruction.rmIsMemory) {
        requireSse(processor);
        const auto source = processor.readOperand<uint64_t>(instruction);
        Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
        runSse<host>(processor, value, source);
        return setXmm(processor, instruction.reg, value);
    }
    requireSseAndMmx(processor);
    Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
    runSse<host>(processor, value, mmxBeforeSwitch(processor, instruction.rm));
    MmxRegisters switched(processor);
    setXmm(processor, instruction.reg, value);
}

#define NAMSAN_TO_MMX(mnemonic)                                                                                        \
    [](uint64_t& destination, Xmm source) {                                                                            \
        asm volatile(mnemonic " %1, %%mm0\n\tmovq %%mm0, %0\n\temms" : "=m"(destination) : "x"(source) : "mm0");       \
    }

template <auto host, unsigned bytes> void toMmx(Processor& processor, const Instruction& instruction)
{
    requireSseAndMmx(processor);
    const Xmm source = readXmmRm<bytes>(processor, instruction);
    uint64_t value;
    runSse<host>(processor, value, source);
    MmxRegisters(processor).set(instruction.reg, value);
}

} // namespace

void bindSseConversions(HandlerTable& table)
{
    table.bind(Operation::Cvtps2pd, sseBinary<NAMSAN_SSE("cvtps2pd"), 8>);
    table.bind(Operation::Cvtpd2ps, sseBinary<NAMSAN_SSE("cvtpd2ps"), 16, Underflow::Singles>);
    table.bind(Operation::Cvtss2sd, sseBinary<NAMSAN_SSE("cvtss2sd"), 4>);
    table.bind(Operation::Cvtsd2ss, sseBinary<NAMSAN_SSE("cvtsd2ss"), 8, Underflow::LowSingle>);
    table.bind(Operation::Cvtdq2ps, sseBinary<NAMSAN_SSE("cvtdq2ps"), 16>);
    table.bind(Operation::Cvtps2dq, sseBinary<NAMSAN_SSE("cvtps2dq"), 16>);
    table.bind(Operation::Cvttps2dq, sseBinary<NAMSAN_SSE("cvttps2dq"), 16>);
    table.bind(Operation::Cvtdq2pd, sseBinary<NAMSAN_SSE("cvtdq2pd"), 8>);
    table.bind(Operation::Cvtpd2dq, sseBinary<NAMSAN_SSE("cvtpd2dq"), 16>);
    table.bind(Operation::Cvttpd2dq, sseBinary<NAMSAN_SSE("cvttpd2dq"), 16>);

    table.bind(Operation::Cvtsi2ss, fromInteger<NAMSAN_FROM_INTEGER("cvtsi2ss")>);
    table.bind(Operation::Cvtsi2sd, fromInteger<NAMSAN_FROM_INTEGER("cvtsi2sd")>);
    table.bind(Operation::Cvtss2si, toInteger<NAMSAN_TO_INTEGER("cvtss2si"), 4>);
    table.bind(Operation::Cvtsd2si, toInteger<NAMSAN_TO_INTEGER("cvtsd2si"), 8>);
    table.bind(Operation::Cvttss2si, toInteger<NAMSAN_TO_INTEGER("cvttss2si"), 4>);
    table.bind(Operation::Cvttsd2si, toInteger<NAMSAN_TO_INTEGER("cvttsd2si"), 8>);

    table.bind(Operation::Cvtpi2ps, fromMmx<NAMSAN_FROM_MMX("cvtpi2ps")>);
    table.bind(Operation::Cvtpi2pd, fromMmx<NAMSAN_FROM_MMX("cvtpi2pd")>);
    table.bind(Operation::Cvtps2pi, toMmx<NAMSAN_TO_MMX("cvtps2pi"), 8>);
    table.bind(Operation::Cvttps2pi, toMmx<NAMSAN_TO_MMX("cvttps2pi"), 8>);
    table.bind(Operation::Cvtpd2pi, toMmx<NAMSAN_TO_MMX("cvtpd2pi"), 16>);
    table.bind(Operation::Cvttpd2pi, toMmx<NAMSAN_TO_MMX("cvttpd2pi"), 16>);
}

} // namespace namsan
