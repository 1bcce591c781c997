// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/simd_operands.h"

namespace namsan {

// What can come out too small to be normal: the results whose underflow must be looked for by hand.
enum class Underflow : uint8_t { Impossible, Singles, Doubles, LowSingle, LowDouble };

// The host's SSE unit, lent to the guest for one instruction: rounding, flush-to-zero and denormals-are-zero are the
// guest's, all exceptions are masked, all flags clear. What the guest has not masked is found in the flags afterwards.
class HostSse {
public:
    explicit HostSse(uint32_t guestMxcsr)
        : m_guest(guestMxcsr)
    {
        // Flush-to-zero only works while underflow is masked: SDM volume 1, 10.2.3.3.
        const uint32_t ignored = guestMxcsr & mxcsr::underflowMask ? 0 : mxcsr::flushToZero;
        const uint32_t lent = ((guestMxcsr & ~ignored) | mxcsr::masks) & ~mxcsr::exceptions;
        asm volatile("stmxcsr %0\n\tldmxcsr %1" : "=m"(m_host) : "m"(lent));
    }

    // Gives the unit back and returns the exceptions that were raised.
    uint32_t finish()
    {
        uint32_t after;
        asm volatile("stmxcsr %0\n\tldmxcsr %1" : "=m"(after) : "m"(m_host));
        return after & mxcsr::exceptions;
    }

    bool underflowIsUnmasked() const { return !(m_guest & mxcsr::underflowMask); }

private:
    uint32_t m_guest;
    uint32_t m_host;
};

// Adds the raised exceptions to the guest's MXCSR; throws #XM (#UD while CR4.OSXMMEXCPT is clear) if one is not
// masked. Called before anything is written. Intel SDM volume 1, 11.5.2 and 11.5.3.
void settleSseExceptions(Processor&, uint32_t raised);

// Whether a result is denormal, which is an underflow even where it is exact, if underflow is not masked.
bool hasDenormal(Xmm value, Underflow kind);

// Runs host(operands...) and settles; the results are only valid after a normal return.
template <auto host, Underflow underflow = Underflow::Impossible, class Result, class... Sources>
void runSse(Processor& processor, Result& result, const Sources&... sources)
{
    HostSse lent(imageOf(processor.fxsave).mxcsr);
    host(result, sources...);
    uint32_t raised = lent.finish();
    if constexpr (underflow != Underflow::Impossible)
        if (lent.underflowIsUnmasked() && hasDenormal(result, underflow)) [[unlikely]]
            raised |= mxcsr::underflow;
    settleSseExceptions(processor, raised);
}

// destination = f(destination, source), both XMM. Volatile: it must stay between the changes of MXCSR.
#define NAMSAN_SSE(mnemonic)                                                                                           \
    [](Xmm& destination, Xmm source) { asm volatile(mnemonic " %1, %0" : "+x"(destination) : "x"(source)); }

// ModRM.reg = f(ModRM.reg, ModRM.rm), where rm is an XMM register or that many bytes of memory.
template <auto host, unsigned bytes, Underflow underflow = Underflow::Impossible>
void sseBinary(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<bytes>(processor, instruction);
    Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
    runSse<host, underflow>(processor, value, source);
    setXmm(processor, instruction.reg, value);
}

} // namespace namsan
