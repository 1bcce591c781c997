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

// How a machine comes by its engines. Called on its board thread, but for the first one.
using EngineMaker = std::function<Result<EngineChoice>(
    std::string_view name, GuestMemory&, const Clock&, const CpuModel&, GuestBus&)>;

// Makes the session of the engine that the user named, or with "auto" the one that a short measurement finds faster on
// this host (engine_probe.h). "soft" translates, and interprets where the host refuses what that needs. Fails with a
// sentence that lists the names for a name that is none, for "kvm" where the host's KVM cannot serve, and where an
// engine cannot serve the CPU model. All but the access outlive the session.
Result<EngineChoice> chooseEngine(
    std::string_view name, GuestMemory&, const Clock&, const CpuModel&, GuestBus&, const KvmAccess& = KvmAccess::at());

// The model of that name; host-common is made of what the host's processor and, where it can be opened, its KVM have.
// Fails with a sentence that lists the names for a name that is none.
Result<CpuModel> chooseCpuModel(std::string_view name, const KvmAccess& = KvmAccess::at());

// Whether the software CPU has what the model promises: it borrows the host's SSE3 and later for it.
Result<void> softCanServe(const CpuModel&, const FeatureSet& host = FeatureSet::ofHost());

// The engines that a user may choose by name, each with why this host cannot serve it.
std::vector<EngineOffer> offeredEngines(const KvmAccess& = KvmAccess::at());

VcpuFigures figuresOf(const VcpuCounters&);

} // namespace namsan
