// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/apic/local_apics.h"
#include "vmm/engine/cpu_model.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/processor_group.h"
#include "vmm/engine/translate/memory_form_choice.h"
#include "vmm/session/soft/soft_vcpu.h"
#include "vmm/session/vm_session.h"
#include "vmm/time/clock.h"

#include <memory>
#include <string>
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

    // Whether the comparison with the interpreter serves so many vCPUs; says why not in a sentence.
    static Result<void> canCompare(size_t vcpus);

    // Before the vCPU runs. Gives a sentence about the form of memory that it took; fails with one where the host
    // refuses, or refuses the form that was wished for. The session interprets then.
    Result<std::string> startTranslator(MemoryFormWish = MemoryFormWish::Best, const TranslatorOptions& = {});
    // Each unit is compared: slow.
    Result<std::string> startLockstep(MemoryFormWish = MemoryFormWish::Best, const TranslatorOptions& = {});

    std::string_view engineName() const override { return m_engineName; }
    unsigned vcpuCount() const override { return static_cast<unsigned>(m_vcpus.size()); }
    Vcpu& vcpu(unsigned index) override { return *m_vcpus.at(index); }
    InterruptMessageSink* interruptMessages() override { return m_apics.get(); }
    EngineTimers* timers() override { return m_apics.get(); }
    void setA20(bool open) override;

private:
    template <class Start>
    Result<std::string> startWith(MemoryFormWish, TranslatorOptions, std::string_view name, Start&&);
    void codeWritten(PhysicalAddress, uint64_t size) override;

    GuestMemory& m_memory;
    Decoder m_decoder;
    std::unique_ptr<LocalApics> m_apics;
    std::unique_ptr<ProcessorGroup> m_group;
    std::vector<std::unique_ptr<SoftVcpu>> m_vcpus;
    std::string m_engineName = "soft:interpreter";
};

} // namespace namsan
