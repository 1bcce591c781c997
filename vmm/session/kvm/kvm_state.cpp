// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_state.h"

#include "vmm/session/kvm/kvm_call.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace namsan {

namespace {

// Intel SDM volume 4, table 2-2.
constexpr uint32_t sysenterCsMsr = 0x174;
constexpr uint32_t sysenterEspMsr = 0x175;
constexpr uint32_t sysenterEipMsr = 0x176;
constexpr uint32_t pageAttributeTableMsr = 0x277;
constexpr size_t msrCount = 4;

using MsrList = KvmList<kvm_msrs, kvm_msr_entry>;

// Where KVM keeps the registers of CpuState::gpr, in its order.
constexpr std::array<__u64 kvm_regs::*, 8> gprMembers { &kvm_regs::rax, &kvm_regs::rcx, &kvm_regs::rdx, &kvm_regs::rbx,
    &kvm_regs::rsp, &kvm_regs::rbp, &kvm_regs::rsi, &kvm_regs::rdi };
constexpr std::array<kvm_segment kvm_sregs::*, 6> segmentMembers { &kvm_sregs::es, &kvm_sregs::cs, &kvm_sregs::ss,
    &kvm_sregs::ds, &kvm_sregs::fs, &kvm_sregs::gs };

constexpr uint32_t unusable = 1 << 16;

kvm_segment toKvm(const SegmentState& state)
{
    const auto bit = [&](unsigned number) { return static_cast<uint8_t>(state.accessRights >> number & 1); };
    kvm_segment segment {};
    segment.base = state.base;
    segment.limit = state.limit;
    segment.selector = state.selector;
    segment.type = state.accessRights & 15;
    segment.s = bit(4);
    segment.dpl = state.accessRights >> 5 & 3;
    segment.present = bit(7);
    segment.avl = bit(12);
    segment.db = bit(14);
    segment.g = bit(15);
    segment.unusable = bit(16);
    return segment;
}

SegmentState fromKvm(const kvm_segment& segment)
{
    // What lies in the hidden part of a null selector differs between Intel's and AMD's processors, and nothing depends
    // on it.
    if (segment.unusable)
        return { segment.selector, unusable, 0, 0 };
    const uint32_t rights = segment.type | uint32_t { segment.s } << 4 | uint32_t { segment.dpl } << 5
        | uint32_t { segment.present } << 7 | uint32_t { segment.avl } << 12 | uint32_t { segment.db } << 14
        | uint32_t { segment.g } << 15;
    return { segment.selector, rights, static_cast<uint32_t>(segment.base), segment.limit };
}

kvm_dtable toKvm(const DescriptorTableState& table)
{
    return { .base = table.base, .limit = table.limit, .padding = {} };
}

DescriptorTableState fromKvm(const kvm_dtable& table)
{
    return { static_cast<uint32_t>(table.base), table.limit };
}

MsrList msrsOf(const CpuState& state)
{
    MsrList list(msrCount);
    list.head()->nmsrs = msrCount;
    kvm_msr_entry* entry = list.entries();
    *entry++ = { sysenterCsMsr, 0, state.sysenterCs };
    *entry++ = { sysenterEspMsr, 0, state.sysenterEsp };
    *entry++ = { sysenterEipMsr, 0, state.sysenterEip };
    *entry++ = { pageAttributeTableMsr, 0, state.pat };
    return list;
}

// Unlike other calls this one returns how many registers it did.
Result<void> callForMsrs(int vcpu, unsigned long request, MsrList& list, std::string_view what)
{
    if (ioctl(vcpu, request, list.head()) == static_cast<int>(msrCount))
        return {};
    return Error { fmt::format("The host's KVM refused {} ({}).", what, std::strerror(errno)) };
}

// What an FXSAVE area holds of a 32-bit processor. Intel SDM volume 1, table 10-2.
constexpr size_t controlBytes = 28; // FCW to MXCSR, before MXCSR_MASK
constexpr size_t registersBegin = 32;
constexpr size_t registersEnd = 288; // behind XMM7
constexpr size_t legacyBytes = 512;
constexpr size_t xstateBvWord = legacyBytes / sizeof(uint32_t); // the header's first field. SDM volume 1, 13.4.2
constexpr uint32_t x87AndSse = 3;

} // namespace

kvm_regs toKvmRegs(const CpuState& state)
{
    kvm_regs regs {};
    for (size_t i = 0; i < gprMembers.size(); ++i)
        regs.*gprMembers[i] = state.gpr[i];
    regs.rip = state.eip;
    regs.rflags = state.eflags;
    return regs;
}

void fromKvmRegs(const kvm_regs& regs, CpuState& state)
{
    for (size_t i = 0; i < gprMembers.size(); ++i)
        state.gpr[i] = static_cast<uint32_t>(regs.*gprMembers[i]);
    state.eip = static_cast<uint32_t>(regs.rip);
    state.eflags = static_cast<uint32_t>(regs.rflags);
}

kvm_sregs toKvmSregs(const CpuState& state, uint64_t apicBase)
{
    kvm_sregs sregs {};
    for (size_t i = 0; i < segmentMembers.size(); ++i)
        sregs.*segmentMembers[i] = toKvm(state.segments[i]);
    sregs.ldt = toKvm(state.ldtr);
    sregs.tr = toKvm(state.tr);
    sregs.gdt = toKvm(state.gdtr);
    sregs.idt = toKvm(state.idtr);
    sregs.cr0 = state.cr0;
    sregs.cr2 = state.cr2;
    sregs.cr3 = state.cr3;
    sregs.cr4 = state.cr4;
    sregs.efer = state.efer;
    sregs.apic_base = apicBase;
    return sregs;
}

void fromKvmSregs(const kvm_sregs& sregs, CpuState& state)
{
    for (size_t i = 0; i < segmentMembers.size(); ++i)
        state.segments[i] = fromKvm(sregs.*segmentMembers[i]);
    state.ldtr = fromKvm(sregs.ldt);
    state.tr = fromKvm(sregs.tr);
    state.gdtr = fromKvm(sregs.gdt);
    state.idtr = fromKvm(sregs.idt);
    state.cr0 = static_cast<uint32_t>(sregs.cr0);
    state.cr2 = static_cast<uint32_t>(sregs.cr2);
    state.cr3 = static_cast<uint32_t>(sregs.cr3);
    state.cr4 = static_cast<uint32_t>(sregs.cr4);
    state.efer = sregs.efer;
}

kvm_debugregs toKvmDebugregs(const CpuState& state)
{
    kvm_debugregs registers {};
    std::copy_n(state.dr.begin(), 4, registers.db);
    registers.dr6 = state.dr[6];
    registers.dr7 = state.dr[7];
    return registers;
}

void fromKvmDebugregs(const kvm_debugregs& registers, CpuState& state)
{
    for (size_t i = 0; i < 4; ++i)
        state.dr[i] = static_cast<uint32_t>(registers.db[i]);
    state.dr[6] = static_cast<uint32_t>(registers.dr6);
    state.dr[7] = static_cast<uint32_t>(registers.dr7);
}

kvm_vcpu_events toKvmEvents(const CpuState& state)
{
    kvm_vcpu_events events {};
    events.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
    events.nmi.pending = state.nmiPending;
    events.nmi.masked = state.nmiBlocked;
    events.interrupt.shadow = state.interruptShadow ? KVM_X86_SHADOW_INT_STI : 0;
    if (!state.pendingEvent)
        return events;
    const PendingEvent& event = *state.pendingEvent;
    // An interrupt was accepted with IF set, and the processor checks that when it is told to deliver one (SDM volume
    // 3, 27.3.1.4). An exception is anything else.
    constexpr uint8_t exceptionVectors = 32;
    constexpr uint8_t nmiVector = 2;
    const bool interruptible = state.eflags & eflags::interruptEnable;
    if (event.vector == nmiVector && !event.hasErrorCode && !interruptible) {
        events.nmi.injected = 1;
    } else if (event.hasErrorCode || (!interruptible && event.vector < exceptionVectors)) {
        events.exception.injected = 1;
        events.exception.nr = event.vector;
        events.exception.has_error_code = event.hasErrorCode;
        events.exception.error_code = event.errorCode;
    } else {
        events.interrupt.injected = 1;
        events.interrupt.nr = event.vector;
    }
    return events;
}

void fromKvmEvents(const kvm_vcpu_events& events, CpuState& state)
{
    state.interruptShadow = events.interrupt.shadow != 0;
    // An NMI on its way begins its way again.
    state.nmiPending = events.nmi.pending || events.nmi.injected;
    state.nmiBlocked = events.nmi.masked && !events.nmi.injected;
    state.pendingEvent.reset();
    if (events.exception.injected)
        state.pendingEvent = PendingEvent { .vector = events.exception.nr,
            .hasErrorCode = events.exception.has_error_code != 0,
            .errorCode = events.exception.error_code };
    else if (events.interrupt.injected)
        state.pendingEvent = PendingEvent { .vector = events.interrupt.nr };
}

void toKvmXsave(const CpuState& state, kvm_xsave& xsave)
{
    auto* bytes = reinterpret_cast<uint8_t*>(xsave.region);
    std::copy_n(state.fxsave.bytes.begin(), controlBytes, bytes);
    std::copy(
        state.fxsave.bytes.begin() + registersBegin, state.fxsave.bytes.begin() + registersEnd, bytes + registersBegin);
    // Otherwise the processor takes initial values for what it is to load. SDM volume 1, 13.8.
    xsave.region[xstateBvWord] |= x87AndSse;
}

void fromKvmXsave(const kvm_xsave& xsave, CpuState& state)
{
    const auto* bytes = reinterpret_cast<const uint8_t*>(xsave.region);
    std::copy_n(bytes, controlBytes, state.fxsave.bytes.begin());
    std::copy(bytes + registersBegin, bytes + registersEnd, state.fxsave.bytes.begin() + registersBegin);
}

Result<void> readState(int vcpu, CpuState& state)
{
    kvm_regs regs {};
    kvm_sregs sregs {};
    kvm_debugregs debugregs {};
    kvm_vcpu_events events {};
    kvm_xsave xsave {};
    MsrList msrs = msrsOf(state);
    for (const auto& done : { kvmCall(vcpu, KVM_GET_REGS, &regs, "to tell a vCPU's registers"),
             kvmCall(vcpu, KVM_GET_SREGS, &sregs, "to tell a vCPU's system registers"),
             kvmCall(vcpu, KVM_GET_DEBUGREGS, &debugregs, "to tell a vCPU's debug registers"),
             kvmCall(vcpu, KVM_GET_VCPU_EVENTS, &events, "to tell a vCPU's events"),
             kvmCall(vcpu, KVM_GET_XSAVE, &xsave, "to tell a vCPU's x87 and SSE registers"),
             callForMsrs(vcpu, KVM_GET_MSRS, msrs, "to tell a vCPU's model-specific registers") })
        if (!done)
            return done;
    fromKvmRegs(regs, state);
    fromKvmSregs(sregs, state);
    fromKvmDebugregs(debugregs, state);
    fromKvmEvents(events, state);
    fromKvmXsave(xsave, state);
    const kvm_msr_entry* entry = msrs.entries();
    state.sysenterCs = static_cast<uint32_t>((entry++)->data);
    state.sysenterEsp = static_cast<uint32_t>((entry++)->data);
    state.sysenterEip = static_cast<uint32_t>((entry++)->data);
    state.pat = entry->data;
    return {};
}

Result<void> writeState(int vcpu, const CpuState& state, uint64_t apicBase)
{
    kvm_regs regs = toKvmRegs(state);
    kvm_sregs sregs = toKvmSregs(state, apicBase);
    kvm_debugregs debugregs = toKvmDebugregs(state);
    kvm_vcpu_events events = toKvmEvents(state);
    MsrList msrs = msrsOf(state);
    kvm_xsave xsave {};
    if (auto read = kvmCall(vcpu, KVM_GET_XSAVE, &xsave, "to tell a vCPU's x87 and SSE registers"); !read)
        return read;
    toKvmXsave(state, xsave);
    // Events last: setting registers forgets exceptions.
    for (const auto& done : { kvmCall(vcpu, KVM_SET_SREGS, &sregs, "a vCPU's system registers"),
             kvmCall(vcpu, KVM_SET_REGS, &regs, "a vCPU's registers"),
             kvmCall(vcpu, KVM_SET_XSAVE, &xsave, "a vCPU's x87 and SSE registers"),
             kvmCall(vcpu, KVM_SET_DEBUGREGS, &debugregs, "a vCPU's debug registers"),
             callForMsrs(vcpu, KVM_SET_MSRS, msrs, "a vCPU's model-specific registers"),
             kvmCall(vcpu, KVM_SET_VCPU_EVENTS, &events, "a vCPU's events") })
        if (!done)
            return done;
    return {};
}

} // namespace namsan
