// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_vcpu.h"

#include "vmm/session/kvm/kvm_call.h"
#include "vmm/session/kvm/kvm_state.h"

#include <sys/mman.h>

namespace namsan {

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

KvmVcpu::KvmVcpu(FileDescriptor file, KvmRunArea area, const Environment& environment, const Neighbours& neighbours)
    : m_environment(environment)
    , m_neighbours(neighbours)
    , m_file(std::move(file))
    , m_area(std::move(area))
    , m_run(m_area.run())
    , m_kickLine(environment.signal, m_run.immediate_exit)
    , m_clock(m_file.number(), environment.clock, environment.tscDifference, environment.capabilities)
    , m_bus(environment.bus, neighbours.apics, nullptr, neighbours.place.index)
    , m_completersBus(environment.bus, neighbours.apics, neighbours.group, neighbours.place.index)
    , m_completer(environment.memory, m_completersBus, environment.clock, environment.model, m_counters)
{
    const auto& [apics, group, place] = m_neighbours;
    m_completer.connect(place, apics ? &m_completersBus : nullptr, group);
    if (group)
        group->connect(place.index, m_attention, [this] { m_kickLine.nudge(); });
    kvm_sregs sregs {};
    if (const auto read = kvmCall(m_file.number(), KVM_GET_SREGS, &sregs, "to tell a vCPU's registers"); !read)
        m_trouble = read.error().message;
    m_apicBase = sregs.apic_base;
    load(CpuState::afterReset(environment.model, place.index));
    if (apics)
        apics->connect(place.index, *this);
}

void KvmVcpu::demand(Attention::Reason reason)
{
    m_attention.raise(reason);
    m_kickLine.nudge();
}

void KvmVcpu::setInterruptRequest(bool level)
{
    if (m_neighbours.apics) {
        m_neighbours.apics->setLocalInput(m_neighbours.place.index, 0, level);
        return;
    }
    setApicRequest(level);
    if (level)
        m_kickLine.nudge();
}

void KvmVcpu::raiseNmi()
{
    if (!m_neighbours.apics) {
        demand(Attention::Nmi);
        return;
    }
    m_neighbours.apics->setLocalInput(m_neighbours.place.index, 1, true);
    m_neighbours.apics->setLocalInput(m_neighbours.place.index, 1, false);
}

void KvmVcpu::setApicRequest(bool level)
{
    if (level)
        m_attention.raise(Attention::InterruptRequest);
    else
        m_attention.clear(Attention::InterruptRequest);
}

void KvmVcpu::apicInitialize()
{
    m_attention.clear(Attention::StartUp);
    m_attention.raise(Attention::Initialize);
}

// The first one counts: the processor has left the wait when it comes to the second.
void KvmVcpu::apicStartUp(uint8_t vector)
{
    if (!(m_attention.reasons() & Attention::StartUp))
        m_attention.startUp(vector);
}

// What the APIC has noted, out of its lock.
void KvmVcpu::wake()
{
    m_kickLine.nudge();
    if (VcpuSleeper* sleeper = m_sleeper.load())
        sleeper->vcpuHasWork();
}

VcpuExit KvmVcpu::run()
{
    const KickLine::Runner runner(m_kickLine);
    m_clock.synchronize();
    MaybeExit exit;
    while (!exit) {
        exit = attend();
        if (!exit)
            exit = runGuest();
    }
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
    if (reasons & Attention::Exclusive)
        m_attention.clear(Attention::Exclusive); // to have come here was what was wanted
    if (reasons & (Attention::Initialize | Attention::StartUp))
        if (const MaybeExit exit = takeInitialize(reasons))
            return exit;
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
    if (m_waitsForStartUp)
        return tellHalted();
    if (apicEnabled() != m_apicShown)
        if (const MaybeExit exit = showApicEnabled())
            return exit;
    if (reasons & Attention::Nmi)
        if (const MaybeExit exit = takeNmi())
            return exit;
    m_run.request_interrupt_window = 0;
    if (reasons & Attention::InterruptRequest)
        if (const MaybeExit exit = takeInterrupt())
            return exit;
    if (m_halted)
        return tellHalted();
    return {};
}

VcpuExit KvmVcpu::tellHalted()
{
    uint32_t wakers = Attention::Kick | Attention::Initialize | Attention::StartUp;
    if (!m_waitsForStartUp && !m_nmiMasked)
        wakers |= Attention::Nmi;
    if (!m_waitsForStartUp && m_interruptible)
        wakers |= Attention::InterruptRequest;
    m_wakers = wakers;
    return { VcpuExit::Reason::Halted, {} };
}

KvmVcpu::MaybeExit KvmVcpu::takeInitialize(uint32_t reasons)
{
    if (const MaybeExit exit = finishPendingAccess())
        return exit;
    CpuState state = read();
    if (!m_trouble.empty())
        return failed(m_trouble);
    if (reasons & Attention::Initialize)
        m_attention.clear(Attention::Initialize);
    if (reasons & Attention::StartUp)
        m_attention.clear(Attention::StartUp);
    apply(reasons, state);
    write(state);
    return {};
}

// CPUID tells whether the local APIC is on. The kernel answers it, and knows by its own IA32_APIC_BASE.
KvmVcpu::MaybeExit KvmVcpu::showApicEnabled()
{
    if (const MaybeExit exit = finishPendingAccess())
        return exit;
    kvm_sregs sregs {};
    if (auto read = kvmCall(m_file.number(), KVM_GET_SREGS, &sregs, "to tell a vCPU's system registers"); !read)
        return failed(read.error().message);
    m_apicShown = apicEnabled();
    sregs.apic_base = apicBase();
    if (auto set = kvmCall(m_file.number(), KVM_SET_SREGS, &sregs, "a vCPU's system registers"); !set)
        return failed(set.error().message);
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
    if (m_halted && events.nmi.masked) {
        m_nmiMasked = true;
        return {};
    }
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

KvmVcpu::MaybeExit KvmVcpu::injectInterrupt()
{
    const uint8_t vector = m_bus.acknowledgeInterrupt();
    m_interruptible = false;
    m_halted = false;
    m_counters.interrupts.add();
    kvm_interrupt interrupt { vector };
    if (auto done = kvmCall(m_file.number(), KVM_INTERRUPT, &interrupt, "an interrupt"); !done)
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
    const auto& [apics, group, place] = m_neighbours;
    if (group)
        group->beginRun(place.index);
    m_environment.slots.vcpuEnters();
    const int result = ioctl(m_file.number(), KVM_RUN, 0);
    const int error = errno;
    m_environment.slots.vcpuLeaves();
    if (group)
        group->endRun(place.index);
    m_accessPending = false;
    m_interruptible = m_run.ready_for_interrupt_injection;
    if (result == 0)
        return handleExit();
    if (error == EINTR || error == EAGAIN)
        return {};
    return failed(fmt::format("KVM_RUN failed ({}).", std::strerror(error)));
}

void KvmVcpu::halt()
{
    m_halted = true;
    m_nmiMasked = false;
    m_counters.halts.add();
}

KvmVcpu::MaybeExit KvmVcpu::failed(std::string why)
{
    return VcpuExit { VcpuExit::Reason::Failed, std::move(why) };
}

// -- state -----------------------------------------------------------------------------------------------------------

// What others have sent to the processor comes along: an INIT or a SIPI that it has not taken yet has no place of its
// own.
CpuState KvmVcpu::save() const
{
    CpuState state = read();
    apply(m_attention.reasons(), state);
    if (m_neighbours.apics)
        state.apic = m_neighbours.apics->save(m_neighbours.place.index);
    return state;
}

CpuState KvmVcpu::read() const
{
    if (!m_trouble.empty())
        return m_loaded;
    CpuState state = m_loaded;
    if (const auto read = readState(m_file.number(), state); !read) {
        m_trouble = m_whyLost = read.error().message;
        return m_loaded;
    }
    state.tscOffset = m_clock.save();
    state.mpState = m_waitsForStartUp ? MpState::WaitForStartUp : m_halted ? MpState::Halted : MpState::Running;
    state.nmiPending |= (m_attention.reasons() & Attention::Nmi) != 0;
    return state;
}

// INIT before the SIPI: an INIT that comes after a SIPI takes that back.
void KvmVcpu::apply(uint32_t reasons, CpuState& state) const
{
    if (reasons & Attention::Initialize)
        state.initialize(
            m_environment.model, m_neighbours.place.index, m_environment.memory.host(CpuState::resetPage) != nullptr);
    if (reasons & Attention::StartUp)
        state.startUp(m_attention.startUpVector());
}

void KvmVcpu::load(const CpuState& state)
{
    const auto& [apics, group, place] = m_neighbours;
    m_attention.clear(Attention::Initialize);
    m_attention.clear(Attention::StartUp);
    if (apics) {
        apics->setTscOffset(place.index, state.tscOffset);
        apics->load(place.index, state.apic);
    }
    write(state);
    if (!state.nmiPending)
        m_attention.clear(Attention::Nmi);
    m_clock.load(state.tscOffset);
    // Memory may have got other flags since: a ROM that is read only now.
    m_attention.raise(Attention::GateA20);
}

// What is the guest's own of it is the kernel's business only for CPUID.
uint64_t KvmVcpu::apicBase() const
{
    return apicEnabled() ? m_apicBase | apic_base::globalEnable : m_apicBase & ~apic_base::globalEnable;
}

// Pending NMIs wait in m_attention and not in the kernel, so that one that is raised meanwhile is not lost.
void KvmVcpu::write(const CpuState& state)
{
    m_loaded = state;
    m_halted = state.mpState == MpState::Halted && !state.pendingEvent;
    m_waitsForStartUp = state.mpState == MpState::WaitForStartUp;
    m_nmiMasked = false;
    m_apicShown = apicEnabled();
    m_accessPending = false;
    m_interruptible = (state.eflags & eflags::interruptEnable) && !state.interruptShadow && !state.pendingEvent;
    CpuState withoutNmi = state;
    withoutNmi.nmiPending = false;
    if (state.nmiPending)
        m_attention.raise(Attention::Nmi);
    if (const auto written = writeState(m_file.number(), withoutNmi, apicBase()); !written)
        m_trouble = written.error().message;
}

} // namespace namsan
