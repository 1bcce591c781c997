// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_vcpu.h"

#include "vmm/session/kvm/kvm_call.h"
#include "vmm/session/kvm/kvm_state.h"

#include <sys/mman.h>

namespace namsan {

namespace {
constexpr uint64_t apicEnabled = 1 << 11; // of IA32_APIC_BASE. Intel SDM volume 3, 11.4.3
} // namespace

Result<KvmRunArea> KvmRunArea::map(int vcpu, size_t size)
{
    void* area = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (area == MAP_FAILED)
        return Error { fmt::format("The host's KVM does not share a vCPU's state ({}). Use the software CPU (--engine "
                                   "soft).",
            std::strerror(errno)) };
    return KvmRunArea(area, size);
}

KvmRunArea::~KvmRunArea()
{
    if (m_run)
        munmap(m_run, m_size);
}

KvmVcpu::KvmVcpu(FileDescriptor file, KvmRunArea area, const Environment& environment)
    : m_environment(environment)
    , m_file(std::move(file))
    , m_area(std::move(area))
    , m_run(m_area.run())
    , m_kickLine(environment.signal, m_run.immediate_exit)
    , m_haltWatch(environment.signal)
    , m_clock(m_file.number(), environment.clock, environment.capabilities)
    , m_completer(environment.memory, environment.bus, environment.clock, environment.model, m_counters)
{
    kvm_sregs sregs {};
    if (const auto read = kvmCall(m_file.number(), KVM_GET_SREGS, &sregs, "to tell a vCPU's registers"); !read)
        m_trouble = read.error().message;
    // A model without an APIC has none at its address either, and the PIC's INTR goes straight to the processor.
    m_apicBase = sregs.apic_base;
    if (!environment.model.has(Feature::Apic))
        m_apicBase &= ~apicEnabled;
    load(CpuState::afterReset(environment.model));
}

void KvmVcpu::demand(Attention::Reason reason)
{
    m_attention.raise(reason);
    m_kickLine.nudge();
}

void KvmVcpu::setInterruptRequest(bool level)
{
    if (level)
        demand(Attention::InterruptRequest);
    else
        m_attention.clear(Attention::InterruptRequest);
}

VcpuExit KvmVcpu::run()
{
    const KickLine::Runner runner(m_kickLine);
    if (m_environment.splitIrqchip)
        m_haltWatch.begin();
    m_clock.synchronize();
    MaybeExit exit;
    while (!exit) {
        exit = attend();
        if (!exit)
            exit = runGuest();
    }
    m_haltWatch.end();
    return *exit;
}

// -- what others want ------------------------------------------------------------------------------------------------

// Empty: the guest may run.
KvmVcpu::MaybeExit KvmVcpu::attend()
{
    if (!m_trouble.empty())
        return VcpuExit { VcpuExit::Reason::Failed, m_trouble };
    m_kickLine.clear();
    const uint32_t reasons = m_attention.reasons();
    if (reasons & Attention::Kick) {
        if (const MaybeExit exit = finishPendingAccess())
            return exit;
        m_attention.clear(Attention::Kick);
        m_counters.kicks.add();
        return VcpuExit { VcpuExit::Reason::Kicked, {} };
    }
    if (reasons & Attention::GateA20) {
        m_attention.clear(Attention::GateA20);
        if (auto applied = m_environment.slots.apply(m_environment.a20Open); !applied)
            return failed(applied.error().message);
    }
    if (reasons & Attention::Nmi)
        if (const MaybeExit exit = takeNmi())
            return exit;
    m_run.request_interrupt_window = 0;
    if (reasons & Attention::InterruptRequest)
        if (const MaybeExit exit = takeInterrupt())
            return exit;
    if (m_halted)
        return VcpuExit { VcpuExit::Reason::Halted, {} };
    return {};
}

// An NMI that can come at once is put where its delivery is the next thing that happens, so that no interrupt overtakes
// it. Otherwise KVM keeps it until it may come.
KvmVcpu::MaybeExit KvmVcpu::takeNmi()
{
    if (const MaybeExit exit = finishPendingAccess())
        return exit;
    kvm_vcpu_events events {};
    if (auto read = kvmCall(m_file.number(), KVM_GET_VCPU_EVENTS, &events, "to tell a vCPU's events"); !read)
        return failed(read.error().message);
    // While the handler of one NMI sleeps, the next does not wake it.
    if (m_halted && events.nmi.masked)
        return {};
    m_attention.clear(Attention::Nmi);
    m_halted = false;
    m_interruptible = false; // the NMI's handler comes first
    const bool atOnce = !events.nmi.masked && !events.nmi.pending && !events.nmi.injected && !events.interrupt.shadow
        && !events.interrupt.injected && !events.exception.injected;
    events.flags = 0;
    events.nmi.injected = 1;
    const auto raised = atOnce ? kvmCall(m_file.number(), KVM_SET_VCPU_EVENTS, &events, "an NMI")
                               : kvmCall(m_file.number(), KVM_NMI, 0, "an NMI");
    return raised ? MaybeExit {} : failed(raised.error().message);
}

KvmVcpu::MaybeExit KvmVcpu::takeInterrupt()
{
    // An access that waits for KVM to take its result is an instruction that has not ended.
    if (m_interruptible && m_accessPending)
        if (const MaybeExit exit = finishPendingAccess())
            return exit;
    if (m_interruptible)
        if (const MaybeExit exit = injectInterrupt())
            return exit;
    if (m_attention.reasons() & Attention::InterruptRequest)
        m_run.request_interrupt_window = 1;
    return {};
}

// KVM_INTERRUPT would do where nothing of the irqchip is the kernel's. With a split one it puts the vector where no
// call finds it again, and a save before its delivery would lose it; among the vCPU's events it is found.
KvmVcpu::MaybeExit KvmVcpu::injectInterrupt()
{
    const uint8_t vector = m_environment.bus.acknowledgeInterrupt();
    m_interruptible = false;
    m_halted = false;
    m_counters.interrupts.add();
    if (!m_environment.splitIrqchip) {
        kvm_interrupt interrupt { vector };
        if (auto done = kvmCall(m_file.number(), KVM_INTERRUPT, &interrupt, "an interrupt"); !done)
            return failed(done.error().message);
        return {};
    }
    kvm_vcpu_events events {};
    if (auto read = kvmCall(m_file.number(), KVM_GET_VCPU_EVENTS, &events, "to tell a vCPU's events"); !read)
        return failed(read.error().message);
    events.flags = 0;
    events.interrupt.injected = 1;
    events.interrupt.nr = vector;
    events.interrupt.soft = 0;
    if (auto done = kvmCall(m_file.number(), KVM_SET_VCPU_EVENTS, &events, "an interrupt"); !done)
        return failed(done.error().message);
    return {};
}

// Lets KVM take what the last access to a port, a device or a register gave, and end that instruction: only then is the
// state whole.
KvmVcpu::MaybeExit KvmVcpu::finishPendingAccess()
{
    while (m_accessPending) {
        m_kickLine.leaveAtOnce();
        if (const MaybeExit exit = runGuest())
            return exit;
    }
    return {};
}

// -- running ---------------------------------------------------------------------------------------------------------

KvmVcpu::MaybeExit KvmVcpu::runGuest()
{
    m_environment.slots.vcpuEnters();
    const int result = ioctl(m_file.number(), KVM_RUN, 0);
    const int error = errno;
    m_environment.slots.vcpuLeaves();
    m_accessPending = false;
    m_interruptible = m_run.ready_for_interrupt_injection;
    if (result == 0)
        return handleExit();
    if (error == EINTR || error == EAGAIN) {
        if (m_environment.splitIrqchip)
            lookForHalt();
        return {};
    }
    return failed(fmt::format("KVM_RUN failed ({}).", std::strerror(error)));
}

void KvmVcpu::lookForHalt()
{
    kvm_mp_state state {};
    if (ioctl(m_file.number(), KVM_GET_MP_STATE, &state) != 0 || state.mp_state != KVM_MP_STATE_HALTED) {
        m_haltWatch.foundRunning();
        return;
    }
    m_haltWatch.foundHalted();
    state.mp_state = KVM_MP_STATE_RUNNABLE;
    ioctl(m_file.number(), KVM_SET_MP_STATE, &state);
    halt();
}

void KvmVcpu::halt()
{
    m_halted = true;
    m_counters.halts.add();
}

KvmVcpu::MaybeExit KvmVcpu::failed(std::string why)
{
    return VcpuExit { VcpuExit::Reason::Failed, std::move(why) };
}

// -- state -----------------------------------------------------------------------------------------------------------

CpuState KvmVcpu::save() const
{
    if (!m_trouble.empty())
        return m_loaded;
    CpuState state = m_loaded;
    if (const auto read = readState(m_file.number(), state); !read) {
        m_trouble = m_whyLost = read.error().message;
        return m_loaded;
    }
    state.tscOffset = m_clock.save();
    state.mpState = m_halted ? MpState::Halted : MpState::Running;
    state.nmiPending |= (m_attention.reasons() & Attention::Nmi) != 0;
    return state;
}

void KvmVcpu::load(const CpuState& state)
{
    write(state);
    if (!state.nmiPending)
        m_attention.clear(Attention::Nmi);
    m_clock.load(state.tscOffset);
    // Memory may have got other flags since: a ROM that is read only now.
    m_attention.raise(Attention::GateA20);
}

// Pending NMIs wait in m_attention and not in the kernel, so that one that is raised meanwhile is not lost.
void KvmVcpu::write(const CpuState& state)
{
    m_loaded = state;
    m_halted = state.mpState == MpState::Halted;
    m_accessPending = false;
    m_interruptible = (state.eflags & eflags::interruptEnable) && !state.interruptShadow && !state.pendingEvent;
    CpuState withoutNmi = state;
    withoutNmi.nmiPending = false;
    if (state.nmiPending)
        m_attention.raise(Attention::Nmi);
    if (const auto written = writeState(m_file.number(), withoutNmi, m_apicBase); !written)
        m_trouble = written.error().message;
}

} // namespace namsan
