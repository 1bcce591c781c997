// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/sse_host.h"

// Packed and scalar floating-point arithmetic and logic. Intel SDM volume 1, 10.4.1.2, 10.4.2 and 11.4.1.
namespace namsan {

namespace {

// Sums, products and quotients can underflow; minima and maxima hand an operand through, and a root of a denormal
// is far from one.
#define NAMSAN_BIND_SSE(Name, mnemonic, mayUnderflow)                                                                  \
    table.bind(Operation::Name##ps,                                                                                    \
        sseBinary<NAMSAN_SSE(mnemonic "ps"), 16, mayUnderflow ? Underflow::Singles : Underflow::Impossible>);          \
    table.bind(Operation::Name##pd,                                                                                    \
        sseBinary<NAMSAN_SSE(mnemonic "pd"), 16, mayUnderflow ? Underflow::Doubles : Underflow::Impossible>);          \
    table.bind(Operation::Name##ss,                                                                                    \
        sseBinary<NAMSAN_SSE(mnemonic "ss"), 4, mayUnderflow ? Underflow::LowSingle : Underflow::Impossible>);         \
    table.bind(Operation::Name##sd,                                                                                    \
        sseBinary<NAMSAN_SSE(mnemonic "sd"), 8, mayUnderflow ? Underflow::LowDouble : Underflow::Impossible>)

// The sign bits of the packed numbers into a general register.
template <auto host> void signMask(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    processor.gpr[instruction.reg] = host(xmmOf(xmmRegister(processor, instruction.rm)));
}

#define NAMSAN_SIGN_MASK(mnemonic)                                                                                     \
    [](Xmm source) {                                                                                                   \
        uint32_t mask;                                                                                                 \
        asm(mnemonic " %1, %0" : "=r"(mask) : "x"(source));                                                            \
        return mask;                                                                                                   \
    }

} // namespace

void bindSseArithmetic(HandlerTable& table)
{
    NAMSAN_BIND_SSE(Add, "add", true);
    NAMSAN_BIND_SSE(Sub, "sub", true);
    NAMSAN_BIND_SSE(Mul, "mul", true);
    NAMSAN_BIND_SSE(Div, "div", true);
    NAMSAN_BIND_SSE(Min, "min", false);
    NAMSAN_BIND_SSE(Max, "max", false);
    NAMSAN_BIND_SSE(Sqrt, "sqrt", false);
    table.bind(Operation::Rsqrtps, sseBinary<NAMSAN_SSE("rsqrtps"), 16>);
    table.bind(Operation::Rsqrtss, sseBinary<NAMSAN_SSE("rsqrtss"), 4>);
    table.bind(Operation::Rcpps, sseBinary<NAMSAN_SSE("rcpps"), 16>);
    table.bind(Operation::Rcpss, sseBinary<NAMSAN_SSE("rcpss"), 4>);

    table.bind(Operation::Andps, sseBinary<NAMSAN_SSE("andps"), 16>);
    table.bind(Operation::Andpd, sseBinary<NAMSAN_SSE("andpd"), 16>);
    table.bind(Operation::Andnps, sseBinary<NAMSAN_SSE("andnps"), 16>);
    table.bind(Operation::Andnpd, sseBinary<NAMSAN_SSE("andnpd"), 16>);
    table.bind(Operation::Orps, sseBinary<NAMSAN_SSE("orps"), 16>);
    table.bind(Operation::Orpd, sseBinary<NAMSAN_SSE("orpd"), 16>);
    table.bind(Operation::Xorps, sseBinary<NAMSAN_SSE("xorps"), 16>);
    table.bind(Operation::Xorpd, sseBinary<NAMSAN_SSE("xorpd"), 16>);

    table.bind(Operation::Movmskps, signMask<NAMSAN_SIGN_MASK("movmskps")>);
    table.bind(Operation::Movmskpd, signMask<NAMSAN_SIGN_MASK("movmskpd")>);
    table.bind(Operation::PmovmskbXmm, signMask<NAMSAN_SIGN_MASK("pmovmskb")>);
}

} // namespace namsan
