// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/immediate_on_host.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/sse_host.h"

// SSE4.1 on reals: rounding to integers and dot products. Intel SDM volume 1, 12.8.2 and 12.8.4.
namespace namsan {

namespace {

NAMSAN_WITH_IMMEDIATE(HostRoundps, "roundps");
NAMSAN_WITH_IMMEDIATE(HostRoundpd, "roundpd");
NAMSAN_WITH_IMMEDIATE(HostRoundss, "roundss");
NAMSAN_WITH_IMMEDIATE(HostRoundsd, "roundsd");
NAMSAN_WITH_IMMEDIATE(HostDpps, "dpps");
NAMSAN_WITH_IMMEDIATE(HostDppd, "dppd");

// Bits 3 to 0 of the immediate say how to round, and whether in silence.
template <class Host, unsigned bytes> void round(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<bytes>(processor, instruction);
    Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
    const auto host = withImmediate<Host, 16>(instruction.immediate & 0xf);
    constexpr auto call = [](Xmm& destination, Xmm from, typename Host::Function apply) { apply(destination, from); };
    runSse<call>(processor, value, source, host);
    setXmm(processor, instruction.reg, value);
}

// What an immediate's upper four bits leave of an operand: bit 4 stands for the first number.
template <class Bits> Xmm chosen(Xmm operand, uint32_t immediate)
{
    auto elements = std::bit_cast<std::array<Bits, 16 / sizeof(Bits)>>(operand);
    for (unsigned i = 0; i < elements.size(); ++i)
        if (!(immediate >> (4 + i) & 1))
            elements[i] = 0;
    return std::bit_cast<Xmm>(elements);
}

struct Singles {
    using Bits = uint32_t;
    using Host = HostDpps;
    static constexpr Underflow underflow = Underflow::Singles;
    static constexpr unsigned additions = 2; // of pairs, then of their sums
    static void multiply(Xmm& destination, Xmm source) { NAMSAN_SSE("mulps")(destination, source); }
    static void add(Xmm& destination, Xmm source) { NAMSAN_SSE("haddps")(destination, source); }
};
struct Doubles {
    using Bits = uint64_t;
    using Host = HostDppd;
    static constexpr Underflow underflow = Underflow::Doubles;
    static constexpr unsigned additions = 1;
    static void multiply(Xmm& destination, Xmm source) { NAMSAN_SSE("mulpd")(destination, source); }
    static void add(Xmm& destination, Xmm source) { NAMSAN_SSE("haddpd")(destination, source); }
};

// Raises the exceptions of a dot product in their order: an unmasked one of the products stops it before the sums
// could raise theirs. Intel SDM volume 2, DPPS.
template <class Kind> void settleStepByStep(Processor& processor, Xmm first, Xmm second, uint32_t immediate)
{
    Xmm value = chosen<typename Kind::Bits>(first, immediate);
    runSse<Kind::multiply, Kind::underflow>(processor, value, chosen<typename Kind::Bits>(second, immediate));
    for (unsigned i = 0; i < Kind::additions; ++i)
        runSse<Kind::add, Kind::underflow>(processor, value, Xmm(value));
}

template <class Kind> void dotProduct(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<16>(processor, instruction);
    const Xmm destination = xmmOf(xmmRegister(processor, instruction.reg));
    const unsigned immediate = instruction.immediate & 0xff;
    Xmm value = destination;
    uint32_t& guest = imageOf(processor.fxsave).mxcsr;
    HostSse lent(guest);
    withImmediate<typename Kind::Host, 256>(immediate)(value, source);
    const uint32_t raised = lent.finish();
    const uint32_t unmasked = raised & ~(guest >> mxcsr::maskShift);
    if (unmasked || lent.underflowIsUnmasked()) [[unlikely]]
        settleStepByStep<Kind>(processor, destination, source, immediate);
    else
        guest |= raised;
    setXmm(processor, instruction.reg, value);
}

} // namespace

void bindSse4Reals(HandlerTable& table)
{
    table.bind(Operation::Roundps, round<HostRoundps, 16>);
    table.bind(Operation::Roundpd, round<HostRoundpd, 16>);
    table.bind(Operation::Roundss, round<HostRoundss, 4>);
    table.bind(Operation::Roundsd, round<HostRoundsd, 8>);
    table.bind(Operation::Dpps, dotProduct<Singles>);
    table.bind(Operation::Dppd, dotProduct<Doubles>);
}

} // namespace namsan
