// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/engine_choice.h"

#include "vmm/engine/cpu_model.h"
#include "vmm/session/engine_probe.h"
#include "vmm/session/kvm/kvm_session.h"
#include "vmm/session/soft/soft_session.h"

#include <fmt/format.h>

namespace namsan {

namespace {

Result<EngineChoice> makeSoft(std::string reason, GuestMemory& memory, const Clock& clock, GuestBus& bus)
{
    return EngineChoice { std::make_unique<SoftSession>(memory, clock, CpuModel::namsan1(), bus), std::move(reason) };
}

Result<EngineChoice> makeKvm(
    std::string reason, GuestMemory& memory, const Clock& clock, GuestBus& bus, const KvmAccess& access)
{
    auto session = KvmSession::create(memory, clock, CpuModel::namsan1(), bus, { .access = access });
    if (!session)
        return session.error();
    reason += (*session)->remarks();
    return EngineChoice { std::move(*session), std::move(reason) };
}

Result<EngineChoice> makeBest(GuestMemory& memory, const Clock& clock, GuestBus& bus, const KvmAccess& access)
{
    const EngineProbe probe = probeEngines(access);
    if (!probe.kvmIsBetter())
        return makeSoft(probe.reason(), memory, clock, bus);
    auto kvm = makeKvm(probe.reason(), memory, clock, bus, access);
    return kvm ? std::move(kvm) : makeSoft(kvm.error().message + " So the software CPU is used.", memory, clock, bus);
}

} // namespace

Result<EngineChoice> chooseEngine(
    std::string_view name, GuestMemory& memory, const Clock& clock, GuestBus& bus, const KvmAccess& access)
{
    if (name == "auto")
        return makeBest(memory, clock, bus, access);
    if (name == "soft" || name == "soft:interpreter")
        return makeSoft("The software CPU is used because it was asked for.", memory, clock, bus);
    if (name == "kvm")
        return makeKvm("KVM is used because it was asked for.", memory, clock, bus, access);
    return Error { fmt::format(
        "There is no engine \"{}\". Choose auto, soft, soft:interpreter or kvm (--engine).", name) };
}

VcpuFigures VcpuFigures::operator+(const VcpuFigures& other) const
{
    VcpuFigures sum = *this;
    for (uint64_t VcpuFigures::*figure : { &VcpuFigures::instructions, &VcpuFigures::portReads,
             &VcpuFigures::portWrites, &VcpuFigures::mmioReads, &VcpuFigures::mmioWrites, &VcpuFigures::interrupts,
             &VcpuFigures::exceptions, &VcpuFigures::pageFaults, &VcpuFigures::halts, &VcpuFigures::kicks,
             &VcpuFigures::blocksDecoded, &VcpuFigures::codeInvalidations, &VcpuFigures::tlbMisses })
        sum.*figure += other.*figure;
    return sum;
}

VcpuFigures figuresOf(const VcpuCounters& counters)
{
    return {
        .instructions = counters.instructions.value(),
        .portReads = counters.portReads.value(),
        .portWrites = counters.portWrites.value(),
        .mmioReads = counters.mmioReads.value(),
        .mmioWrites = counters.mmioWrites.value(),
        .interrupts = counters.interrupts.value(),
        .exceptions = counters.exceptions.value(),
        .pageFaults = counters.pageFaults.value(),
        .halts = counters.halts.value(),
        .kicks = counters.kicks.value(),
        .blocksDecoded = counters.blocksDecoded.value(),
        .codeInvalidations = counters.codeInvalidations.value(),
        .tlbMisses = counters.tlbMisses.value(),
    };
}

} // namespace namsan
