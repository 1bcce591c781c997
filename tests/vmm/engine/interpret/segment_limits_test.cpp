// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"

#include <gtest/gtest.h>

namespace namsan {

class SegmentLimitsTest : public ::testing::Test, protected ProcessorBench {
protected:
    SegmentLimitsTest() { enterProtectedMode(); }

    void loadSpare(SegmentIndex index, uint8_t access, uint32_t base, uint32_t limit, uint8_t flags = 0x4)
    {
        setDescriptor(spare, makeDescriptor(base, limit, access, flags));
        loadSegment(cpu, index, spare);
    }
    std::optional<Fault> faultOfRead(SegmentIndex index, uint32_t offset, unsigned size)
    {
        return faultOf([&] { cpu.linearForRead(index, offset, size); });
    }
    std::optional<Fault> faultOfWrite(SegmentIndex index, uint32_t offset, unsigned size)
    {
        return faultOf([&] { cpu.linearForWrite(index, offset, size); });
    }
};

TEST_F(SegmentLimitsTest, AllOfAnAccessMustLieWithinTheLimit)
{
    loadSpare(Ds, data0, 0x1000, 0x1003);
    EXPECT_EQ(cpu.linearForRead(Ds, 0x1000, 4), 0x2000u);
    EXPECT_EQ(faultOfRead(Ds, 0x1001, 4), generalProtection());
    EXPECT_EQ(faultOfRead(Ds, 0xfffffffe, 4), generalProtection());
    EXPECT_FALSE(faultOfWrite(Ds, 0x1003, 1));
    EXPECT_EQ(faultOfWrite(Ds, 0x1004, 1), generalProtection());
}

TEST_F(SegmentLimitsTest, StackViolationsAreStackFaults)
{
    loadSpare(Ss, data0, 0, 0xffff);
    EXPECT_EQ(faultOfWrite(Ss, 0xfffd, 4), fault(Exception::StackFault, 0));
    EXPECT_FALSE(faultOfWrite(Ss, 0xfffc, 4));
}

TEST_F(SegmentLimitsTest, ExpandDownSegmentsLieAboveTheirLimit)
{
    loadSpare(Ds, expandDown0, 0, 0x0fff, 0x4);
    EXPECT_EQ(faultOfRead(Ds, 0x0fff, 1), generalProtection());
    EXPECT_FALSE(faultOfRead(Ds, 0x1000, 4));
    EXPECT_FALSE(faultOfRead(Ds, 0xfffffffc, 4));
    EXPECT_EQ(faultOfRead(Ds, 0xfffffffd, 4), generalProtection());

    loadSpare(Ds, expandDown0, 0, 0x0fff, 0x0); // B clear: up to 64 KiB
    EXPECT_FALSE(faultOfRead(Ds, 0xfffc, 4));
    EXPECT_EQ(faultOfRead(Ds, 0xfffd, 4), generalProtection());

    loadSpare(Ds, expandDown0, 0, 0xfffff, 0xc); // limit at the top: nothing is inside
    EXPECT_EQ(faultOfRead(Ds, 0xffffffff, 1), generalProtection());
}

TEST_F(SegmentLimitsTest, TypesForbidWritesAndReads)
{
    loadSpare(Ds, readOnlyData0, 0, 0xfffff, 0xc);
    EXPECT_FALSE(faultOfRead(Ds, 0, 4));
    EXPECT_EQ(faultOfWrite(Ds, 0, 4), generalProtection());
    EXPECT_FALSE(faultOfRead(Cs, 0, 4));
    EXPECT_EQ(faultOfWrite(Cs, 0, 4), generalProtection());
    cpu.setSegment(Cs, { kernelCode, 0xc099, 0, 0xffffffff });
    EXPECT_EQ(faultOfRead(Cs, 0, 4), generalProtection()) << "execute only";
}

TEST_F(SegmentLimitsTest, RealModeLooksAtTheLimitAlone)
{
    writeCr0(cpu, 0);
    cpu.setSegment(Cs, { 0x100, 0x9b, 0x1000, 0xffff });
    EXPECT_EQ(cpu.linearForWrite(Cs, 0x10, 2), 0x1010u);
    EXPECT_EQ(faultOfWrite(Cs, 0xffff, 2), generalProtection());
}

TEST_F(SegmentLimitsTest, BaseAndOffsetWrapAt4GiB)
{
    loadSpare(Gs, data0, 0xfffff000, 0xfffff, 0xc);
    EXPECT_EQ(cpu.linearForRead(Gs, 0x2000, 4), 0x1000u);
}

TEST_F(SegmentLimitsTest, StateComesBackWholeFromSaveAndLoad)
{
    loadSpare(Fs, data0, 0x4000, 0xfff);
    enterLevel3();
    cpu.gpr[Ebx] = 0xb;
    cpu.sysenterEip = 0x77;
    cpu.halted = true;
    cpu.setEflags(eflags::alwaysOne | eflags::carry | eflags::overflow | eflags::interruptEnable);
    const CpuState saved = cpu.save();
    EXPECT_EQ(saved.mpState, MpState::Halted);
    EXPECT_EQ(saved.eflags, 0xa03u);

    cpu.load(CpuState::afterReset());
    EXPECT_EQ(cpu.cpl, 0);
    EXPECT_EQ(cpu.save(), CpuState::afterReset());
    cpu.load(saved);
    EXPECT_EQ(cpu.save(), saved);
    EXPECT_EQ(cpu.cpl, 3);
}

TEST_F(SegmentLimitsTest, ResetStartsBelow4GiB)
{
    cpu.load(CpuState::afterReset());
    EXPECT_EQ(cpu.linearForRead(Cs, cpu.eip, 1), 0xfffffff0u);
    EXPECT_FALSE(cpu.protectedMode());
    EXPECT_EQ(cpu.gpr[Edx], CpuModel::standard().cpuid(1, 0).eax);
}

} // namespace namsan
