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
    else if (name == "soft" || name == "soft:interpreter")
        reason = "The software CPU is used because it was asked for.";
    else
        return Error { fmt::format(
            "There is no engine \"{}\". Choose auto, soft or soft:interpreter (--engine).", name) };
    return EngineChoice { std::make_unique<SoftSession>(memory, clock, CpuModel::namsan1(), bus), std::move(reason) };
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
