// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/session/kvm/kvm_device.h"
#include "vmm/session/kvm/kvm_memory.h"
#include "vmm/session/kvm/kvm_vcpu.h"
#include "vmm/session/vm_session.h"

#include <memory>
#include <string>

namespace namsan {

// How a session uses the host's KVM.
struct KvmSettings {
    KvmAccess access = KvmAccess::at();
    bool splitIrqchip = true; // false: no local APIC in the kernel even where there could be one
};

// The engine that has the host's KVM run the guest: its processor's virtualization where the host has that. One virtual
// processor. The PIC and all other devices are ours; the local APIC is the kernel's (split irqchip), and switched off
// for CPU models that have none.
class KvmSession final : public VmSession {
public:
    // Fails with a sentence where the host's KVM cannot serve. All references must outlive the session.
    static Result<std::unique_ptr<KvmSession>> create(
        GuestMemory&, const Clock&, const CpuModel&, GuestBus&, const KvmSettings& = {});

    std::string_view engineName() const override { return "kvm"; }
    unsigned vcpuCount() const override { return 1; }
    Vcpu& vcpu(unsigned index) override;
    void setA20(bool open) override;

    // Sentences, each with a space before it, about what this host's KVM does not do as it should; often empty.
    const std::string& remarks() const { return m_remarks; }

private:
    KvmSession() = default;

    Result<void> build(const KvmDevice&, GuestMemory&, const Clock&, const CpuModel&, GuestBus&, bool splitIrqchip);
    Result<void> prepareVm(const KvmCapabilities&, const CpuModel&);
    bool takeSplitIrqchip(const KvmCapabilities&);

    std::string m_remarks;
    std::atomic<bool> m_a20Open = true;
    FileDescriptor m_vm;
    std::unique_ptr<KvmMemory> m_memory;
    std::unique_ptr<KvmVcpu> m_vcpu;
};

} // namespace namsan
