// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/file_descriptor.h"
#include "vmm/engine/apic/local_apics.h"
#include "vmm/engine/interpret/attention.h"
#include "vmm/engine/processor_group.h"
#include "vmm/session/kvm/instruction_completer.h"
#include "vmm/session/kvm/kick_signal.h"
#include "vmm/session/kvm/kvm_api.h"
#include "vmm/session/kvm/kvm_clock.h"
#include "vmm/session/kvm/kvm_memory.h"
#include "vmm/session/vcpu_bus.h"
#include "vmm/session/vm_session.h"

#include <atomic>
#include <optional>
#include <string>

namespace namsan {

// What a vCPU shares with the kernel, mapped.
class KvmRunArea {
public:
    static Result<KvmRunArea> map(int vcpu, size_t size);
    KvmRunArea(KvmRunArea&& other) noexcept
        : m_run(std::exchange(other.m_run, nullptr))
        , m_size(other.m_size)
    {
    }
    ~KvmRunArea();

    kvm_run& run() { return *m_run; }
    uint8_t* at(uint64_t offset) { return reinterpret_cast<uint8_t*>(m_run) + offset; }

private:
    KvmRunArea(void* run, size_t size)
        : m_run(static_cast<kvm_run*>(run))
        , m_size(size)
    {
    }

    kvm_run* m_run;
    size_t m_size;
};

// A virtual processor of KVM.
//
// run() is a loop of three steps: see what others want (Attention), have KVM run the guest, and do what the guest's
// exit asks for. What others want is noted first and then told by a nudge (kick_signal.h), so none of it is lost.
//
// The kernel has no irqchip, so to it a vCPU is one that always runs: halts, and the wait for a SIPI, are remembered
// here.
class KvmVcpu final : public Vcpu, private ApicProcessor {
public:
    struct Environment {
        GuestMemory& memory;
        KvmMemory& slots;
        GuestBus& bus;
        const Clock& clock;
        TscDifference& tscDifference;
        const CpuModel& model;
        const std::atomic<bool>& a20Open;
        const KvmCapabilities& capabilities;
        int signal;
    };
    // What it has in common with the others. apics: nullptr where the model has none. group: nullptr for a single one.
    struct Neighbours {
        LocalApics* apics = nullptr;
        ProcessorGroup* group = nullptr;
        ProcessorPlace place;
    };

    // The vCPU's file with its CPUID set. What environment and neighbours refer to outlives this.
    KvmVcpu(FileDescriptor, KvmRunArea, const Environment&, const Neighbours&);

    VcpuExit run() override;
    void kick() override { demand(Attention::Kick); }
    bool hasWork() const override { return m_attention.reasons() & m_wakers.load(); }
    bool canWakeItself() const override { return m_attention.canWake(m_wakers.load()); }
    void setSleeper(VcpuSleeper* sleeper) override { m_sleeper = sleeper; }
    void setInterruptRequest(bool level) override;
    void raiseNmi() override;
    CpuState save() const override;
    std::string whyLost() const override { return m_whyLost; }
    void load(const CpuState&) override;
    const VcpuCounters& counters() const override { return m_counters; }

    void gateA20Moved() { demand(Attention::GateA20); } // any thread
    const std::string& remark() const { return m_clock.remark(); }
    uint64_t completedByInterpreter() const { return m_completer.completed(); } // instructions; any thread

private:
    using MaybeExit = std::optional<VcpuExit>;

    void setApicRequest(bool level) override;
    void apicNmi() override { m_attention.raise(Attention::Nmi); }
    void apicInitialize() override;
    void apicStartUp(uint8_t vector) override;
    void wake() override;

    void demand(Attention::Reason);
    MaybeExit attend();
    MaybeExit takeInitialize(uint32_t reasons);
    MaybeExit showApicEnabled();
    VcpuExit tellHalted();
    MaybeExit takeNmi();
    MaybeExit takeInterrupt();
    MaybeExit injectInterrupt();
    MaybeExit finishPendingAccess();

    MaybeExit runGuest();
    MaybeExit handleExit();
    MaybeExit handleInternalError();
    MaybeExit completeInstruction();
    void handlePorts();
    void handleMmio();
    bool isInvalidMsr() const;
    void handleReadMsr();
    void handleWriteMsr();
    CpuState read() const;
    void apply(uint32_t reasons, CpuState&) const;
    void write(const CpuState&);
    uint64_t apicBase() const;
    bool apicEnabled() const { return m_neighbours.apics && m_neighbours.apics->isEnabled(m_neighbours.place.index); }
    void halt();
    MaybeExit failed(std::string why);

    const Environment m_environment;
    const Neighbours m_neighbours;
    FileDescriptor m_file;
    KvmRunArea m_area;
    kvm_run& m_run;
    uint64_t m_apicBase = 0; // as the kernel began with it

    VcpuCounters m_counters;
    Attention m_attention;
    std::atomic<uint32_t> m_wakers = ~0u; // what ends the halt that run() has last told of
    std::atomic<VcpuSleeper*> m_sleeper = nullptr;
    KickLine m_kickLine;
    KvmClock m_clock;
    VcpuBus m_bus; // of the kernel's exits
    VcpuBus m_completersBus;
    InstructionCompleter m_completer;

    bool m_halted = false;
    bool m_waitsForStartUp = false;
    bool m_nmiMasked = false; // found so while halted
    bool m_apicShown = false; // whether the kernel's CPUID shows the local APIC
    bool m_accessPending = false; // KVM has yet to take what it asked for: it does so first thing in KVM_RUN
    bool m_interruptible = false; // an interrupt would be taken before the next instruction
    CpuState m_loaded; // the last one: holds what KVM does not
    mutable std::string m_trouble; // why the kernel does not know the state any more
    mutable std::string m_whyLost; // the same, where m_loaded is not the state either
};

} // namespace namsan
