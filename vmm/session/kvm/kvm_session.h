// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/session/kvm/kvm_device.h"
#include "vmm/session/kvm/kvm_memory.h"
#include "vmm/session/kvm/kvm_vcpu.h"
#include "vmm/session/vm_session.h"

#include <memory>
#include <string>
#include <vector>

namespace namsan {

// The engine that has the host's KVM run the guest: its processor's virtualization where the host has that. 1 to 16
// virtual processors, each for a thread of its own. All devices are ours, the local APICs of the vCPUs included: they
// are the same as the software CPU's, so that a guest can be carried from one to the other, and the kernel has no
// irqchip.
class KvmSession final : public VmSession {
public:
    // Fails with a sentence where the host's KVM cannot serve. Several vCPUs ask for a model with a local APIC. All
    // references must outlive the session.
    static Result<std::unique_ptr<KvmSession>> create(
        GuestMemory&, const Clock&, const CpuModel&, GuestBus&, unsigned vcpus = 1, const KvmAccess& = KvmAccess::at());

    std::string_view engineName() const override { return "kvm"; }
    unsigned vcpuCount() const override { return static_cast<unsigned>(m_vcpus.size()); }
    Vcpu& vcpu(unsigned index) override { return *m_vcpus.at(index); }
    InterruptMessageSink* interruptMessages() override { return m_apics.get(); }
    EngineTimers* timers() override { return m_apics.get(); }
    void setA20(bool open) override;

    // Sentences, each with a space before it, about what this host's KVM does not do as it should; often empty.
    const std::string& remarks() const { return m_remarks; }

private:
    explicit KvmSession(const Clock& clock)
        : m_tscDifference(clock)
    {
    }

    Result<void> build(const KvmDevice&, GuestMemory&, const Clock&, const CpuModel&, GuestBus&, unsigned vcpus);
    Result<void> prepareVm(const KvmCapabilities&, const CpuModel&);
    Result<std::unique_ptr<KvmVcpu>> makeVcpu(
        const KvmDevice&, const KvmVcpu::Environment&, const KvmVcpu::Neighbours&);

    std::string m_remarks;
    std::atomic<bool> m_a20Open = true;
    TscDifference m_tscDifference;
    FileDescriptor m_vm;
    std::unique_ptr<KvmMemory> m_memory;
    std::unique_ptr<LocalApics> m_apics;
    std::unique_ptr<ProcessorGroup> m_group;
    std::vector<std::unique_ptr<KvmVcpu>> m_vcpus;
};

} // namespace namsan
