// SPDX-License-Identifier: GPL-3.0-or-later
// What the guest's exits from KVM ask for: KvmVcpu's other half.
#include "vmm/session/kvm/kvm_vcpu.h"

#include "vmm/session/kvm/kvm_call.h"
#include "vmm/session/kvm/kvm_state.h"

#include <algorithm>
#include <bit>

namespace namsan {

namespace {
constexpr PhysicalAddress addressLine20 = uint64_t { 1 } << 20;
} // namespace

KvmVcpu::MaybeExit KvmVcpu::handleExit()
{
    switch (m_run.exit_reason) {
    case KVM_EXIT_IO:
        handlePorts();
        return {};
    case KVM_EXIT_MMIO:
        handleMmio();
        return {};
    case KVM_EXIT_X86_RDMSR:
        handleReadMsr();
        return {};
    case KVM_EXIT_X86_WRMSR:
        handleWriteMsr();
        return {};
    case KVM_EXIT_HLT:
        halt();
        return {};
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
    case KVM_EXIT_SET_TPR:
    case KVM_EXIT_TPR_ACCESS:
        return {};
    case KVM_EXIT_SHUTDOWN:
        return VcpuExit { VcpuExit::Reason::TripleFault, {} };
    case KVM_EXIT_INTERNAL_ERROR:
        return handleInternalError();
    case KVM_EXIT_FAIL_ENTRY:
        return failed(fmt::format("The host's processor refuses to enter the guest (reason {:#x}).",
            m_run.fail_entry.hardware_entry_failure_reason));
    case KVM_EXIT_UNKNOWN:
        return failed(fmt::format("The host's KVM met an exit of its processor that it does not know (reason {:#x}).",
            m_run.hw.hardware_exit_reason));
    default:
        return failed(fmt::format(
            "The host's KVM ended for a reason that this program does not know (number {}).", m_run.exit_reason));
    }
}

// A string instruction comes with several values at once. KVM does REP itself, in pieces, between which interrupts may
// come.
void KvmVcpu::handlePorts()
{
    const auto& io = m_run.io;
    const auto width = static_cast<Width>(io.size);
    uint8_t* data = m_area.at(io.data_offset);
    for (uint32_t i = 0; i < io.count; ++i, data += io.size) {
        uint32_t value = 0;
        if (io.direction == KVM_EXIT_IO_IN) {
            m_counters.portReads.add();
            value = m_bus.portIn(io.port, width);
            std::memcpy(data, &value, io.size);
        } else {
            m_counters.portWrites.add();
            std::memcpy(&value, data, io.size);
            m_bus.portOut(io.port, width, value);
        }
    }
    m_accessPending = true;
}

void KvmVcpu::handleMmio()
{
    auto& mmio = m_run.mmio;
    PhysicalAddress address = mmio.phys_addr;
    if (!m_environment.a20Open)
        address &= ~addressLine20;
    m_accessPending = true;
    // A store into a slot that is read only comes here as well: what ROM does is nothing. And so does each access while
    // another vCPU exchanges the slots.
    if (GuestMemory& memory = m_environment.memory; memory.host(address)) {
        if (!mmio.is_write)
            memory.read(address, { mmio.data, mmio.len });
        else if (!(memory.flags(address) & GuestMemory::ReadOnly))
            memory.write(address, { mmio.data, mmio.len });
        return;
    }
    // The local APIC's page is among the rest, unless the guest has laid it over its memory: KVM does not ask there.
    // Sizes that are no bus cycle (a part of an access that crosses a page) become several that are.
    for (unsigned done = 0; done < mmio.len;) {
        const unsigned part = std::bit_floor(mmio.len - done);
        uint64_t value = 0;
        if (mmio.is_write) {
            m_counters.mmioWrites.add();
            std::memcpy(&value, mmio.data + done, part);
            m_bus.mmioWrite(address + done, part, value);
        } else {
            m_counters.mmioReads.add();
            value = m_bus.mmioRead(address + done, part);
            std::memcpy(mmio.data + done, &value, part);
        }
        done += part;
    }
}

// Of what the kernel finds invalid, an x2APIC's registers are ours; for the others it is right.
bool KvmVcpu::isInvalidMsr() const
{
    constexpr uint32_t firstOfX2Apic = 0x800, lastOfX2Apic = 0x8ff;
    return m_run.msr.reason == KVM_MSR_EXIT_REASON_INVAL
        && (m_run.msr.index < firstOfX2Apic || m_run.msr.index > lastOfX2Apic);
}

void KvmVcpu::handleReadMsr()
{
    const auto value = isInvalidMsr() ? std::nullopt : m_completer.readMsr(m_run.msr.index);
    m_run.msr.data = value.value_or(0);
    m_run.msr.error = value ? 0 : 1;
    m_accessPending = true;
}

void KvmVcpu::handleWriteMsr()
{
    const bool done = !isInvalidMsr() && m_completer.writeMsr(m_run.msr.index, m_run.msr.data);
    if (done && m_run.msr.index == timeStampCounterMsr)
        m_clock.write(m_run.msr.data);
    m_run.msr.error = done ? 0 : 1;
    m_accessPending = true;
}

// Linux, Documentation/virt/kvm/api.rst, KVM_EXIT_INTERNAL_ERROR.
KvmVcpu::MaybeExit KvmVcpu::handleInternalError()
{
    switch (m_run.internal.suberror) {
    case KVM_INTERNAL_ERROR_EMULATION:
    case KVM_INTERNAL_ERROR_DELIVERY_EV:
        return completeInstruction();
    case KVM_INTERNAL_ERROR_SIMUL_EX:
        return failed("The host's KVM met an exception while it delivered another one, and gave up.");
    default:
        return failed(fmt::format("The host's KVM met an error inside itself (suberror {}, data {:#x}).",
            m_run.internal.suberror, m_run.internal.ndata > 0 ? m_run.internal.data[0] : 0));
    }
}

KvmVcpu::MaybeExit KvmVcpu::completeInstruction()
{
    CpuState state = read();
    if (!m_trouble.empty())
        return failed(m_trouble);
    constexpr uint8_t invalidOpcode = 6;
    if (m_run.internal.suberror == KVM_INTERNAL_ERROR_DELIVERY_EV) {
        if (!state.pendingEvent)
            return failed("The host's KVM could not deliver an NMI.");
    } else if (state.pendingEvent && state.pendingEvent->vector == invalidOpcode) {
        // Where KVM lacks KVM_CAP_EXIT_ON_EMULATION_FAILURE it has an exception ready for what it could not emulate.
        state.pendingEvent.reset();
    }
    const auto& [apics, group, place] = m_neighbours;
    const uint64_t tscOffset = state.tscOffset;
    if (group)
        group->beginRun(place.index);
    const bool completed = m_completer.complete(state, m_environment.a20Open);
    if (group)
        group->endRun(place.index);
    if (!completed)
        return VcpuExit { VcpuExit::Reason::TripleFault, {} };
    write(state);
    if (state.tscOffset != tscOffset)
        m_clock.load(state.tscOffset);
    if (m_halted)
        m_counters.halts.add();
    return {};
}

} // namespace namsan
