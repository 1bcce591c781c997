// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/guest_memory.h"
#include "vmm/engine/cpu_model.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/machine_sample.h"
#include "vmm/session/kvm/kvm_device.h"
#include "vmm/session/vm_session.h"
#include "vmm/time/clock.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

struct EngineChoice {
    std::unique_ptr<VmSession> session;
    std::string reason; // why this engine, in a sentence or two
};

// What a session is made for.
struct ProcessorsWanted {
    unsigned count = 1;
    const CpuModel& model; // with a local APIC, where the machine has them
};

// How a machine comes by its engines. Called on its board thread, but for the first one.
using EngineMaker = std::function<Result<EngineChoice>(
    std::string_view name, GuestMemory&, const Clock&, const ProcessorsWanted&, GuestBus&)>;

// Makes the session of the engine that the user named, or with "auto" the one that a short measurement finds faster on
// this host (engine_probe.h). "soft" translates, and interprets where the host refuses what that needs, and several
// vCPUs; the reason tells. Fails with a sentence that lists the names for a name that is none, for "kvm" where the
// host's KVM cannot serve, and where an engine cannot serve the CPU model or so many vCPUs. All but the access and the
// ProcessorsWanted outlive the session, its model included.
Result<EngineChoice> chooseEngine(
    std::string_view name, GuestMemory&, const Clock&, const CpuModel&, GuestBus&, const KvmAccess& = KvmAccess::at());

Result<EngineChoice> chooseEngine(std::string_view name, GuestMemory&, const Clock&, const ProcessorsWanted&, GuestBus&,
    const KvmAccess& = KvmAccess::at());

// The model of that name; host-common is made of what the host's processor and, where it can be opened, its KVM have.
// Fails with a sentence that lists the names for a name that is none.
Result<CpuModel> chooseCpuModel(std::string_view name, const KvmAccess& = KvmAccess::at());

// Whether the software CPU has what the model promises: it borrows the host's SSE3 and later for it.
Result<void> softCanServe(const CpuModel&, const FeatureSet& host = FeatureSet::ofHost());

// Whether processors of the model can be several, on any engine and host: that asks for local APICs.
Result<void> canBeSeveral(const ProcessorsWanted&);

// The engines that a user may choose by name for a machine, each with why it cannot be served here.
std::vector<EngineOffer> offeredEngines(const ProcessorsWanted&, const KvmAccess& = KvmAccess::at());

VcpuFigures figuresOf(const VcpuCounters&);

} // namespace namsan
