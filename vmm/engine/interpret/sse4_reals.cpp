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

// count: of the immediate's values that mean something different.
template <class Host, unsigned count, unsigned bytes, Underflow underflow>
void byImmediate(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<bytes>(processor, instruction);
    Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
    const auto host = withImmediate<Host, count>(instruction.immediate % count);
    constexpr auto call = [](Xmm& destination, Xmm from, typename Host::Function apply) { apply(destination, from); };
    runSse<call, underflow>(processor, value, source, host);
    setXmm(processor, instruction.reg, value);
}

} // namespace

void bindSse4Reals(HandlerTable& table)
{
    table.bind(Operation::Roundps, byImmediate<HostRoundps, 16, 16, Underflow::Impossible>);
    table.bind(Operation::Roundpd, byImmediate<HostRoundpd, 16, 16, Underflow::Impossible>);
    table.bind(Operation::Roundss, byImmediate<HostRoundss, 16, 4, Underflow::Impossible>);
    table.bind(Operation::Roundsd, byImmediate<HostRoundsd, 16, 8, Underflow::Impossible>);
    table.bind(Operation::Dpps, byImmediate<HostDpps, 256, 16, Underflow::Singles>);
    table.bind(Operation::Dppd, byImmediate<HostDppd, 256, 16, Underflow::Doubles>);
}

} // namespace namsan
