// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/engine/cpu_state.h"
#include "vmm/session/kvm/kvm_api.h"

namespace namsan {

// CpuState's parts as KVM has them; pure, and each pair is the other's inverse.
kvm_regs toKvmRegs(const CpuState&);
void fromKvmRegs(const kvm_regs&, CpuState&);

// apicBase: what the kernel is to believe of the local APIC, which is none of its own.
kvm_sregs toKvmSregs(const CpuState&, uint64_t apicBase);
void fromKvmSregs(const kvm_sregs&, CpuState&);

kvm_debugregs toKvmDebugregs(const CpuState&);
void fromKvmDebugregs(const kvm_debugregs&, CpuState&);

kvm_vcpu_events toKvmEvents(const CpuState&);
void fromKvmEvents(const kvm_vcpu_events&, CpuState&);

// Only what lies in FXSAVE's 512 bytes. The host's MXCSR_MASK and XMM8 to XMM15 are none of a 32-bit guest's state:
// from...() leaves them as they are.
void toKvmXsave(const CpuState&, kvm_xsave&);
void fromKvmXsave(const kvm_xsave&, CpuState&);

// The whole of a vCPU but tscOffset, MP state and what is not the kernel's to know. Fails with a sentence.
Result<void> readState(int vcpu, CpuState&);
Result<void> writeState(int vcpu, const CpuState&, uint64_t apicBase);

} // namespace namsan
