// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_state.h"

#include "vmm/session/kvm/kvm_cpuid.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace namsan {

namespace {

CpuState stateInProtectedMode()
{
    CpuState state = CpuState::afterReset();
    for (uint32_t i = 0; i < 8; ++i)
        state.gpr[i] = 0xf0000000 + i;
    state.eip = 0x12345678;
    state.eflags = eflags::alwaysOne | eflags::interruptEnable;
    state.cr0 |= cr0::protectionEnable;
    state.segments.fill({ 0x23, 0xc0f3, 0, 0xffffffff });
    state.segments[Cs] = { 0x1b, 0xd0fb, 0x1000, 0xfffff };
    state.segments[Gs] = { 0, 1 << 16, 0, 0 };
    return state;
}

CpuState thereAndBack(const CpuState& state)
{
    CpuState back = state;
    fromKvmRegs(toKvmRegs(state), back);
    fromKvmSregs(toKvmSregs(state, 0), back);
    fromKvmDebugregs(toKvmDebugregs(state), back);
    fromKvmEvents(toKvmEvents(state), back);
    return back;
}

} // namespace

TEST(KvmState, ComesBackAsItWent)
{
    EXPECT_EQ(thereAndBack(CpuState::afterReset()), CpuState::afterReset());
    const CpuState state = stateInProtectedMode();
    EXPECT_EQ(thereAndBack(state), state);
}

TEST(KvmState, SplitsAccessRights)
{
    const kvm_sregs sregs = toKvmSregs(stateInProtectedMode(), 0xfee00100);
    EXPECT_EQ(sregs.cs.type, 11);
    EXPECT_EQ(sregs.cs.s, 1);
    EXPECT_EQ(sregs.cs.dpl, 3);
    EXPECT_EQ(sregs.cs.present, 1);
    EXPECT_EQ(sregs.cs.avl, 1);
    EXPECT_EQ(sregs.cs.db, 1);
    EXPECT_EQ(sregs.cs.g, 1);
    EXPECT_EQ(sregs.cs.limit, 0xfffffu);
    EXPECT_EQ(sregs.gs.unusable, 1);
    EXPECT_EQ(sregs.apic_base, 0xfee00100u);
}

TEST(KvmState, KeepsPendingEvents)
{
    CpuState state = stateInProtectedMode();
    for (const PendingEvent& event : { PendingEvent { 14, true, 6 }, PendingEvent { 0x30, false, 0 } }) {
        state.pendingEvent = event;
        EXPECT_EQ(thereAndBack(state), state);
    }
    // The processor refuses to deliver an interrupt while IF is clear, so what has no error code is an exception then.
    state.eflags &= ~eflags::interruptEnable;
    state.pendingEvent = PendingEvent { 6, false, 0 };
    EXPECT_EQ(toKvmEvents(state).exception.injected, 1);
    EXPECT_EQ(toKvmEvents(state).interrupt.injected, 0);
    EXPECT_EQ(thereAndBack(state), state);
}

TEST(KvmState, BeginsTheDeliveryOfAnNmiAgain)
{
    kvm_vcpu_events events {};
    events.nmi.injected = 1;
    events.nmi.masked = 1;
    CpuState state;
    fromKvmEvents(events, state);
    EXPECT_TRUE(state.nmiPending);
    EXPECT_FALSE(state.nmiBlocked);
}

TEST(KvmState, CarriesWhatFxsaveHoldsAndLeavesTheRest)
{
    CpuState state;
    for (size_t i = 0; i < state.fxsave.bytes.size(); ++i)
        state.fxsave.bytes[i] = static_cast<uint8_t>(i);
    kvm_xsave xsave {};
    toKvmXsave(state, xsave);
    EXPECT_EQ(xsave.region[128] & 3, 3u); // XSTATE_BV: otherwise the processor takes initial values

    CpuState back;
    back.fxsave.bytes[28] = 0xaa; // MXCSR_MASK is the host's in KVM's area
    fromKvmXsave(xsave, back);
    EXPECT_TRUE(std::equal(back.fxsave.bytes.begin(), back.fxsave.bytes.begin() + 28, state.fxsave.bytes.begin()));
    EXPECT_TRUE(
        std::equal(back.fxsave.bytes.begin() + 32, back.fxsave.bytes.begin() + 288, state.fxsave.bytes.begin() + 32));
    EXPECT_EQ(back.fxsave.bytes[28], 0xaa);
    EXPECT_EQ(back.fxsave.bytes[300], 0);
}

TEST(KvmCpuid, TellsEachProcessorItsPlace)
{
    const CpuModel model = CpuModel::hostCommon(FeatureSet::everything()).withLocalApic();
    const auto entries = cpuidEntries(model, { 2, 4 });
    unsigned cacheLeaves = 0, topologyLeaves = 0;
    for (const kvm_cpuid_entry2& entry : entries) {
        const CpuidResult wanted = model.cpuid(entry.function, entry.index, 2, 4);
        EXPECT_EQ(entry.ebx, wanted.ebx) << entry.function;
        EXPECT_EQ(entry.ecx, wanted.ecx) << entry.function;
        EXPECT_EQ(entry.edx, wanted.edx) << entry.function;
        const bool bySubleaf = entry.function == 4 || entry.function == 0x0b;
        EXPECT_EQ(entry.flags, bySubleaf ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0u) << entry.function;
        cacheLeaves += entry.function == 4;
        topologyLeaves += entry.function == 0x0b;
        if (entry.function == 1) {
            EXPECT_EQ(entry.ebx >> 24, 2u);
        }
    }
    EXPECT_EQ(cacheLeaves, 2u);
    EXPECT_EQ(topologyLeaves, 3u);
}

TEST(KvmCpuid, HasEachLeafOfTheModel)
{
    const CpuModel& model = CpuModel::standard();
    const auto entries = cpuidEntries(model);
    for (const kvm_cpuid_entry2& entry : entries) {
        EXPECT_EQ(entry.edx, model.cpuid(entry.function, 0).edx) << entry.function;
        EXPECT_EQ(entry.ebx, model.cpuid(entry.function, 0).ebx) << entry.function;
    }
    EXPECT_TRUE(std::ranges::any_of(entries, [](const auto& entry) { return entry.function == 0x80000004; }));
}

} // namespace namsan
