// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/engine_choice.h"

#include "vmm/engine/cpu_model.h"
#include "vmm/session/soft/soft_session.h"

#include <fmt/format.h>

namespace namsan {

Result<EngineChoice> chooseEngine(std::string_view name, GuestMemory& memory, const Clock& clock, GuestBus& bus)
{
    std::string reason;
    if (name == "auto")
        reason = "The software CPU is used: it is the one engine of this version and runs on every host.";
    else if (name == "soft" || name == "soft:interpreter" || name == "soft:translator"
        || name == "soft:lockstep") // the last for developers
        reason = "The software CPU is used because it was asked for.";
    else
        return Error { fmt::format(
            "There is no engine \"{}\". Choose auto, soft, soft:interpreter or soft:translator (--engine).", name) };
    auto session = std::make_unique<SoftSession>(memory, clock, CpuModel::namsan1(), bus);
    if (name == "soft:translator")
        if (auto started = session->startTranslator(); !started)
            return started.error();
    if (name == "soft:lockstep")
        if (auto started = session->startLockstep(); !started)
            return started.error();
    return EngineChoice { std::move(session), std::move(reason) };
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
        .unitsTranslated = counters.unitsTranslated.value(),
        .instructionsTranslated = counters.instructionsTranslated.value(),
        .codeBytesEmitted = counters.codeBytesEmitted.value(),
        .unitsDropped = counters.unitsDropped.value(),
        .leavesForLookup = counters.leavesForLookup.value(),
        .leavesForLink = counters.leavesForLink.value(),
        .leavesForAttention = counters.leavesForAttention.value(),
        .leavesForInterpreter = counters.leavesForInterpreter.value(),
        .leavesAfterHandler = counters.leavesAfterHandler.value(),
        .leavesForFault = counters.leavesForFault.value(),
    };
}

} // namespace namsan
