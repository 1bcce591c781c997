// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/engine_choice.h"

#include "vmm/engine/translate/code_region.h"
#include "vmm/session/engine_probe.h"
#include "vmm/session/kvm/kvm_session.h"
#include "vmm/session/soft/soft_engine_name.h"
#include "vmm/session/soft/soft_session.h"

#include <fmt/format.h>

namespace namsan {

namespace {

// What a session is made of.
struct Parts {
    GuestMemory& memory;
    const Clock& clock;
    const ProcessorsWanted& processors;
    GuestBus& bus;
};

Result<EngineChoice> makeSoft(const SoftEngineName& name, std::string reason, const Parts& parts)
{
    const CpuModel& model = parts.processors.model;
    if (const auto can = softCanServe(model); !can)
        return can.error();
    auto session = std::make_unique<SoftSession>(parts.memory, parts.clock, model, parts.bus, parts.processors.count);
    using Kind = SoftEngineName::Kind;
    if (name.kind == Kind::Best) {
        const auto translates = session->startTranslator();
        reason += translates ? " " + *translates : fmt::format(" It interprets: {}", translates.error().message);
        return EngineChoice { std::move(session), std::move(reason) };
    }
    TranslatorOptions options;
    options.keepsBases = name.keepsBases;
    Result<std::string> started = std::string();
    if (name.kind == Kind::Translator)
        started = session->startTranslator(name.memory, options);
    else if (name.kind == Kind::Lockstep)
        started = session->startLockstep(name.memory, options);
    if (!started)
        return started.error();
    if (!started->empty())
        reason += " " + *started;
    return EngineChoice { std::move(session), std::move(reason) };
}

Result<EngineChoice> makeKvm(std::string reason, const Parts& parts, const KvmAccess& access)
{
    const auto& [count, model] = parts.processors;
    auto session = KvmSession::create(parts.memory, parts.clock, model, parts.bus, count, access);
    if (!session)
        return session.error();
    reason += (*session)->remarks();
    return EngineChoice { std::move(*session), std::move(reason) };
}

Result<EngineChoice> makeBest(const Parts& parts, const KvmAccess& access)
{
    const EngineProbe probe = probeEngines(access);
    if (!probe.kvmIsBetter())
        return makeSoft({}, probe.reason(), parts);
    auto kvm = makeKvm(probe.reason(), parts, access);
    return kvm ? std::move(kvm) : makeSoft({}, kvm.error().message + " So the software CPU is used.", parts);
}

FeatureSet featuresOfHost(const KvmAccess& access)
{
    const FeatureSet host = FeatureSet::ofHost();
    const auto device = KvmDevice::open(access);
    if (!device)
        return host;
    const auto served = device->supportedFeatures();
    return served ? host & *served : host;
}

} // namespace

Result<void> softCanServe(const CpuModel& model, const FeatureSet& host)
{
    if (const FeatureSet missing = model.neededOfHost().without(host); !missing.empty())
        return Error { fmt::format("The software CPU cannot serve the CPU model {}: it uses the host's {}, which this "
                                   "host has not got. Choose another model (--cpu).",
            model.name(), namesOf(missing)) };
    return {};
}

Result<void> canBeSeveral(const ProcessorsWanted& processors)
{
    const auto& [count, model] = processors;
    if (count > 1 && !model.has(Feature::Apic))
        return Error { fmt::format(
            "The CPU model {} has no local APIC, so it cannot be one of {} vCPUs. Choose another "
            "model (--cpu) or one vCPU (--vcpus 1).",
            model.name(), count) };
    return {};
}

Result<CpuModel> chooseCpuModel(std::string_view name, const KvmAccess& access)
{
    if (const auto model
        = CpuModel::find(name, name == CpuModel::hostCommonName ? featuresOfHost(access) : FeatureSet {}))
        return *model;
    return Error { fmt::format("There is no CPU model \"{}\". Choose {} (--cpu).", name, CpuModel::names()) };
}

Result<EngineChoice> chooseEngine(std::string_view name, GuestMemory& memory, const Clock& clock, const CpuModel& model,
    GuestBus& bus, const KvmAccess& access)
{
    return chooseEngine(name, memory, clock, ProcessorsWanted { 1, model }, bus, access);
}

Result<EngineChoice> chooseEngine(std::string_view name, GuestMemory& memory, const Clock& clock,
    const ProcessorsWanted& processors, GuestBus& bus, const KvmAccess& access)
{
    if (const auto can = canBeSeveral(processors); !can)
        return can.error();
    const Parts parts { memory, clock, processors, bus };
    if (name == "auto")
        return makeBest(parts, access);
    if (const auto soft = parseSoftEngineName(name))
        return makeSoft(*soft, "The software CPU is used because it was asked for.", parts);
    if (name == "kvm")
        return makeKvm("KVM is used because it was asked for.", parts, access);
    return Error { fmt::format(
        "There is no engine \"{}\". Choose auto, soft, soft:interpreter, soft:translator or kvm (--engine).", name) };
}

std::vector<EngineOffer> offeredEngines(const ProcessorsWanted& processors, const KvmAccess& access)
{
    const auto troubleOf = [](const auto& host) { return host ? std::string() : host.error().message; };
    const auto device = KvmDevice::open(access);
    constexpr size_t page = 4096;
    return {
        { "soft:interpreter", {} },
        { "soft:translator", troubleOf(CodeRegion::create(page)) },
        { "kvm", device ? troubleOf(device->canServe(processors.model, processors.count)) : troubleOf(device) },
    };
}

VcpuFigures VcpuFigures::operator+(const VcpuFigures& other) const
{
    VcpuFigures sum = *this;
    for (uint64_t VcpuFigures::*figure :
        { &VcpuFigures::instructions, &VcpuFigures::portReads, &VcpuFigures::portWrites, &VcpuFigures::mmioReads,
            &VcpuFigures::mmioWrites, &VcpuFigures::interrupts, &VcpuFigures::exceptions, &VcpuFigures::pageFaults,
            &VcpuFigures::halts, &VcpuFigures::kicks, &VcpuFigures::blocksDecoded, &VcpuFigures::codeInvalidations,
            &VcpuFigures::tlbMisses, &VcpuFigures::yields, &VcpuFigures::accessFaults, &VcpuFigures::flatTableBytes,
            &VcpuFigures::unitsTranslated, &VcpuFigures::instructionsTranslated, &VcpuFigures::translatingNanoseconds,
            &VcpuFigures::codeBytesEmitted, &VcpuFigures::unitsDropped, &VcpuFigures::basesKeptNoMore,
            &VcpuFigures::codePartsEmptied, &VcpuFigures::codePagesShared, &VcpuFigures::leavesForLookup,
            &VcpuFigures::leavesForLink, &VcpuFigures::leavesForAttention, &VcpuFigures::leavesForInterpreter,
            &VcpuFigures::leavesAfterHandler, &VcpuFigures::leavesForFault, &VcpuFigures::instructionsCompared })
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
        .yields = counters.yields.value(),
        .accessFaults = counters.accessFaults.value(),
        .flatTableBytes = counters.flatTableBytes.value(),
        .unitsTranslated = counters.unitsTranslated.value(),
        .instructionsTranslated = counters.instructionsTranslated.value(),
        .translatingNanoseconds = counters.translatingNanoseconds.value(),
        .codeBytesEmitted = counters.codeBytesEmitted.value(),
        .unitsDropped = counters.unitsDropped.value(),
        .basesKeptNoMore = counters.basesKeptNoMore.value(),
        .codePartsEmptied = counters.codePartsEmptied.value(),
        .codePagesShared = counters.codePagesShared.value(),
        .leavesForLookup = counters.leavesForLookup.value(),
        .leavesForLink = counters.leavesForLink.value(),
        .leavesForAttention = counters.leavesForAttention.value(),
        .leavesForInterpreter = counters.leavesForInterpreter.value(),
        .leavesAfterHandler = counters.leavesAfterHandler.value(),
        .leavesForFault = counters.leavesForFault.value(),
        .instructionsCompared = counters.instructionsCompared.value(),
    };
}

} // namespace namsan
