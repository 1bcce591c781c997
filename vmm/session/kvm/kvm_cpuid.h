// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/engine/cpu_model.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/session/kvm/kvm_api.h"

#include <vector>

namespace namsan {

// The leaves of a model as KVM takes them, for one of so many processors.
std::vector<kvm_cpuid_entry2> cpuidEntries(const CpuModel&, const ProcessorPlace& = {});

// Makes the model the CPUID of a vCPU that has not run yet.
Result<void> setCpuid(int vcpu, const CpuModel&, const ProcessorPlace&);

} // namespace namsan
