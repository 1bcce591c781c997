// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_model.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/translate/memory_form_choice.h"
#include "vmm/session/soft/soft_vcpu.h"
#include "vmm/session/vm_session.h"
#include "vmm/time/clock.h"

#include <string>

namespace namsan {

// The engine that needs no help of the host's kernel: IA-32 in software, interpreted, or translated to x86-64 where
// that was asked for. One virtual processor.
class SoftSession final : public VmSession, private CodeWatcher {
public:
    // All must outlive the session.
    SoftSession(GuestMemory&, const Clock&, const CpuModel&, GuestBus&);
    ~SoftSession() override;

    // Before the vCPU runs. Gives a sentence about the form of memory that it took; fails with one where the host
    // refuses, or refuses the form that was wished for. The session interprets then.
    Result<std::string> startTranslator(MemoryFormWish = MemoryFormWish::Best, const TranslatorOptions& = {});
    Result<std::string> startLockstep(MemoryFormWish = MemoryFormWish::Best); // each unit compared: slow

    std::string_view engineName() const override { return m_engineName; }
    unsigned vcpuCount() const override { return 1; }
    Vcpu& vcpu(unsigned index) override;
    void setA20(bool open) override { m_vcpu.setA20(open); }

private:
    template <class Start>
    Result<std::string> startWith(MemoryFormWish, TranslatorOptions, std::string_view name, Start&&);
    void codeWritten(PhysicalAddress, uint64_t size) override;

    GuestMemory& m_memory;
    Decoder m_decoder;
    SoftVcpu m_vcpu;
    std::string m_engineName = "soft:interpreter";
};

} // namespace namsan
