// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/session/kvm/kvm_device.h"

#include <chrono>
#include <optional>
#include <string>

namespace namsan {

// What the engines really do on this host: some offer /dev/kvm and emulate each instruction, at a few million a second.
struct EngineProbe {
    std::optional<double> kvmMips; // million guest instructions a second; empty where KVM did not run
    std::string kvmTrouble; // then: why, in a sentence
    double softMips = 0;

    bool kvmIsBetter() const { return kvmMips && *kvmMips > softMips; }
    std::string kvmSentence() const; // what KVM is here
    std::string reason() const; // which engine is to be used, and why, with figures
};

// Runs a small loop of integer instructions in real mode, on each engine for that long (and as long again for making
// its VM, at most, unless the kernel dawdles). Any thread.
EngineProbe probeEngines(
    const KvmAccess& = KvmAccess::at(), std::chrono::milliseconds perEngine = std::chrono::milliseconds(8));

} // namespace namsan
