// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/interpret/attention.h"
#include "vmm/engine/interpret/interpreter.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/engine/translate/lockstep.h"
#include "vmm/engine/translate/translator.h"
#include "vmm/session/vcpu_bus.h"
#include "vmm/session/vm_session.h"

#include <atomic>
#include <memory>

namespace namsan {

// A virtual processor in software: the interpreter, and the translator where it is asked for.
class SoftVcpu final : public Vcpu, private ApicProcessor {
public:
    // What it has in common with the others. apics: nullptr where the model has none. group: nullptr for a single one.
    struct Neighbours {
        LocalApics* apics = nullptr;
        ProcessorGroup* group = nullptr;
        ProcessorPlace place;
    };

    SoftVcpu(GuestMemory&, GuestBus&, const Clock&, const CpuModel&, const Decoder&, const Neighbours&);

    VcpuExit run() override;
    void kick() override { m_attention.raise(Attention::Kick); }
    bool hasWork() const override { return m_attention.reasons() & m_wakers.load(); }
    bool canWakeItself() const override { return m_attention.canWake(m_wakers.load()); }
    void setSleeper(VcpuSleeper* sleeper) override { m_sleeper = sleeper; }
    void setInterruptRequest(bool level) override;
    void raiseNmi() override;
    CpuState save() const override;
    void load(const CpuState&) override;
    const VcpuCounters& counters() const override { return m_counters; }

    void setA20(bool open); // any thread

    // Lets translated code run what is hot, from the next run() on. Fails with a sentence where the host refuses.
    Result<void> startTranslator(const TranslatorOptions& = {});
    void stopTranslator(); // it interprets again
    // The same, with each unit compared with the interpreter; run() returns Failed at the first difference.
    Result<void> startLockstep(const TranslatorOptions& = {});
    void codeWritten(PhysicalAddress address, uint64_t size) { m_codeCache.codeWrittenElsewhere(address, size); }

private:
    void setApicRequest(bool level) override;
    void apicNmi() override { m_attention.raise(Attention::Nmi); }
    void apicInitialize() override;
    void apicStartUp(uint8_t vector) override;
    void wake() override;

    uint32_t wakers() const;

    VcpuCounters m_counters;
    Attention m_attention;
    std::atomic<bool> m_a20Open = true;
    std::atomic<uint32_t> m_wakers = ~0u; // what ends the halt that run() has last told of
    std::atomic<VcpuSleeper*> m_sleeper = nullptr;
    GuestMemory& m_memory;
    const Decoder& m_decoder;
    const Neighbours m_neighbours;
    VcpuBus m_bus;
    Processor m_processor;
    CodeCache m_codeCache;
    Interpreter m_interpreter;
    std::unique_ptr<Translator> m_translator;
    std::unique_ptr<Lockstep> m_lockstep;
};

} // namespace namsan
