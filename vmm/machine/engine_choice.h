// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/guest_memory.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/machine_sample.h"
#include "vmm/session/kvm/kvm_device.h"
#include "vmm/session/vm_session.h"
#include "vmm/time/clock.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

struct EngineChoice {
    std::unique_ptr<VmSession> session;
    std::string reason; // why this engine, in a sentence or two
};

// Makes the session of the engine that the user named, or with "auto" the one that a short measurement finds faster on
// this host (engine_probe.h). Fails with a sentence that lists the names for a name that is none, and for "kvm" where
// the host's KVM cannot serve. Memory, clock and bus outlive the session.
Result<EngineChoice> chooseEngine(
    std::string_view name, GuestMemory&, const Clock&, GuestBus&, const KvmAccess& = KvmAccess::at());

// The engines that a user may choose by name, each with why this host cannot serve it.
std::vector<EngineOffer> offeredEngines(const KvmAccess& = KvmAccess::at());

VcpuFigures figuresOf(const VcpuCounters&);

} // namespace namsan
