// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/apic/local_apics.h"
#include "vmm/engine/cpu_model.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/processor_group.h"
#include "vmm/session/soft/soft_vcpu.h"
#include "vmm/session/vm_session.h"
#include "vmm/time/clock.h"

#include <memory>
#include <vector>

namespace namsan {

// The engine that needs no help of the host's kernel: IA-32 in software, interpreted, or translated to x86-64 where
// that was asked for. 1 to 16 virtual processors, each for a thread of its own; more than one, or a model with a local
// APIC, come with local APICs.
class SoftSession final : public VmSession, private CodeWatcher {
public:
    // All must outlive the session. Several vCPUs ask for a model with a local APIC.
    SoftSession(GuestMemory&, const Clock&, const CpuModel&, GuestBus&, unsigned vcpus = 1);
    ~SoftSession() override;

    // Before the vCPU runs. Fails with a sentence where the host refuses, or with several vCPUs; the session interprets
    // then.
    Result<void> startTranslator();
    Result<void> startLockstep(); // the same, each unit compared with the interpreter: slow

    std::string_view engineName() const override { return m_engineName; }
    unsigned vcpuCount() const override { return static_cast<unsigned>(m_vcpus.size()); }
    Vcpu& vcpu(unsigned index) override { return *m_vcpus.at(index); }
    InterruptMessageSink* interruptMessages() override { return m_apics.get(); }
    EngineTimers* timers() override { return m_apics.get(); }
    void setA20(bool open) override;

private:
    void codeWritten(PhysicalAddress, uint64_t size) override;

    GuestMemory& m_memory;
    Decoder m_decoder;
    std::unique_ptr<LocalApics> m_apics;
    std::unique_ptr<ProcessorGroup> m_group;
    std::vector<std::unique_ptr<SoftVcpu>> m_vcpus;
    std::string_view m_engineName = "soft:interpreter";
};

} // namespace namsan
