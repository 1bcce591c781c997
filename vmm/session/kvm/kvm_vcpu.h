// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/file_descriptor.h"
#include "vmm/engine/interpret/attention.h"
#include "vmm/session/kvm/halt_watch.h"
#include "vmm/session/kvm/instruction_completer.h"
#include "vmm/session/kvm/kick_signal.h"
#include "vmm/session/kvm/kvm_api.h"
#include "vmm/session/kvm/kvm_clock.h"
#include "vmm/session/kvm/kvm_memory.h"
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
// Where the kernel has the local APIC (split irqchip), HLT blocks inside KVM_RUN; the watch finds it there. KVM's MP
// state is then set back to runnable, and the halt is remembered here, as without the kernel's APIC.
class KvmVcpu final : public Vcpu {
public:
    struct Environment {
        GuestMemory& memory;
        KvmMemory& slots;
        GuestBus& bus;
        const Clock& clock;
        const CpuModel& model;
        const std::atomic<bool>& a20Open;
        const KvmCapabilities& capabilities;
        bool splitIrqchip;
        int signal;
    };

    // The vCPU's file with its CPUID set. What the environment refers to outlives this.
    KvmVcpu(FileDescriptor, KvmRunArea, const Environment&);

    VcpuExit run() override;
    void kick() override { demand(Attention::Kick); }
    void setInterruptRequest(bool level) override;
    void raiseNmi() override { demand(Attention::Nmi); }
    CpuState save() const override;
    std::string whyLost() const override { return m_whyLost; }
    void load(const CpuState&) override;
    const VcpuCounters& counters() const override { return m_counters; }

    void gateA20Moved() { demand(Attention::GateA20); } // any thread
    const std::string& remark() const { return m_clock.remark(); }
    uint64_t completedByInterpreter() const { return m_completer.completed(); } // instructions; any thread

private:
    using MaybeExit = std::optional<VcpuExit>;

    void demand(Attention::Reason);
    MaybeExit attend();
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
    void handleReadMsr();
    void handleWriteMsr();
    void write(const CpuState&);
    void lookForHalt();
    void halt();
    MaybeExit failed(std::string why);

    const Environment m_environment;
    FileDescriptor m_file;
    KvmRunArea m_area;
    kvm_run& m_run;
    uint64_t m_apicBase = 0;

    VcpuCounters m_counters;
    Attention m_attention;
    KickLine m_kickLine;
    HaltWatch m_haltWatch;
    KvmClock m_clock;
    InstructionCompleter m_completer;

    bool m_halted = false;
    bool m_accessPending = false; // KVM has yet to take what it asked for: it does so first thing in KVM_RUN
    bool m_interruptible = false; // an interrupt would be taken before the next instruction
    CpuState m_loaded; // the last one: holds what KVM does not
    mutable std::string m_trouble; // why the kernel does not know the state any more
    mutable std::string m_whyLost; // the same, where m_loaded is not the state either
};

} // namespace namsan
