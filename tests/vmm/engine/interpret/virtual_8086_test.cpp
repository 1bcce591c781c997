// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"
#include "vmm/engine/interpret/far_transfers.h"
#include "vmm/engine/interpret/interrupt_delivery.h"

#include <gtest/gtest.h>

namespace namsan {

// Intel SDM volume 3, chapter 21: a program at 0500:0000, its stack at 0600:0100, ES = 0700 and so on.
class Virtual8086Test : public ::testing::Test, protected ProcessorBench {
protected:
    static constexpr uint8_t interruptGate32 = 0x8e;
    static constexpr uint8_t interruptGate16 = 0x86;
    static constexpr uint8_t trapGate32 = 0x8f;
    static constexpr uint8_t level3 = 0x60;
    static constexpr uint32_t iopl3 = 3 << 12;
    static constexpr uint32_t flags = eflags::alwaysOne | eflags::interruptEnable | eflags::virtual8086;

    Virtual8086Test()
    {
        enterProtectedMode();
        enter(flags);
    }

    void enter(uint32_t newFlags)
    {
        cpu.setEflags(newFlags);
        cpu.setCpl(3);
        uint16_t selector = 0x0500;
        for (const SegmentIndex index : { Cs, Ss, Es, Ds, Fs, Gs }) {
            cpu.setSegment(index, virtual8086Segment(selector));
            selector = static_cast<uint16_t>(selector + 0x100);
        }
        cpu.gpr[Esp] = 0x100;
        cpu.eip = 0x20;
        cpu.nextEip = 0x22;
    }
    static SegmentState paragraph(uint16_t selector) { return { selector, 0xf3, uint32_t { selector } * 16, 0xffff }; }
    uint16_t word(uint32_t address) const { return get<uint16_t>(address); }
};

TEST_F(Virtual8086Test, InterruptReturnEntersIt)
{
    cpu.setEflags(eflags::alwaysOne);
    cpu.setCpl(0);
    cpu.setSegment(Cs, { kernelCode, 0xc09b, 0, 0xffffffff });
    for (const SegmentIndex index : { Es, Ss, Ds, Fs, Gs })
        loadSegment(cpu, index, kernelData);
    cpu.gpr[Esp] = kernelStack - 36;
    const uint32_t frame[] = { 0x1234, 0x2000, flags | iopl3, 0xfffe, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000 };
    for (uint32_t n = 0; n < 9; ++n)
        put<uint32_t>(kernelStack - 36 + 4 * n, frame[n]);
    returnFromInterrupt(cpu, 4);
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_EQ(cpu.nextEip, 0x1234u);
    EXPECT_EQ(cpu.eflags(), flags | iopl3);
    EXPECT_EQ(cpu.gpr[Esp], 0xfffeu);
    EXPECT_EQ(cpu.segments[Cs].state, paragraph(0x2000));
    EXPECT_EQ(cpu.segments[Ss].state, paragraph(0x3000));
    EXPECT_EQ(cpu.segments[Es].state, paragraph(0x4000));
    EXPECT_EQ(cpu.segments[Ds].state, paragraph(0x5000));
    EXPECT_EQ(cpu.segments[Fs].state, paragraph(0x6000));
    EXPECT_EQ(cpu.segments[Gs].state, paragraph(0x7000));
}

TEST_F(Virtual8086Test, AnEntryBeyondTheSegmentStaysOutside)
{
    cpu.setEflags(eflags::alwaysOne);
    cpu.setCpl(0);
    loadSegment(cpu, Ss, kernelData);
    cpu.gpr[Esp] = kernelStack - 36;
    put<uint32_t>(kernelStack - 36, 0x10000);
    put<uint32_t>(kernelStack - 28, flags);
    EXPECT_EQ(faultOf([&] { returnFromInterrupt(cpu, 4); }), generalProtection());
    EXPECT_FALSE(cpu.virtual8086());
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 36);
}

TEST_F(Virtual8086Test, SegmentLoadsTakeParagraphs)
{
    cpu.gpr[Eax] = 0xf123;
    step({ 0x8e, 0xd8 }); // mov ds,ax
    EXPECT_EQ(cpu.segments[Ds].state, paragraph(0xf123));
    put<uint32_t>(0xf1230 + 8, 0x4321);
    step({ 0xa1, 0x08, 0x00 });
    EXPECT_EQ(cpu.gpr[Eax], 0x4321u);
    step({ 0x2e, 0xa3, 0x10, 0x00 }); // mov cs:[10h],ax: code may be written
    EXPECT_EQ(word(0x5010), 0x4321);
    cpu.gpr[Ebx] = 0xffff;
    EXPECT_EQ(faultOfStep({ 0x8b, 0x07 }), generalProtection()) << "mov ax,[bx] over the segment's end";
}

TEST_F(Virtual8086Test, FarTransfersStayInTheMode)
{
    step({ 0x9a, 0x34, 0x12, 0x00, 0x20 }); // call 2000:1234
    EXPECT_EQ(cpu.segments[Cs].state, paragraph(0x2000));
    EXPECT_EQ(cpu.eip, 0x1234u);
    EXPECT_EQ(word(0x6000 + 0xfe), 0x0500);
    EXPECT_EQ(word(0x6000 + 0xfc), 0x0025);
    step({ 0xcb });
    EXPECT_EQ(cpu.segments[Cs].state, paragraph(0x0500));
    EXPECT_EQ(cpu.eip, 0x25u);
    step({ 0xea, 0x00, 0x00, 0xff, 0xff });
    EXPECT_EQ(cpu.segments[Cs].state.base, 0xffff0u);
    EXPECT_EQ(cpu.cpl, 3);
}

TEST_F(Virtual8086Test, SensitiveInstructionsNeedIopl3)
{
    for (const auto& bytes : std::initializer_list<std::initializer_list<uint8_t>> {
             { 0xfa }, { 0xfb }, { 0x9c }, { 0x9d }, { 0xcd, 0x21 }, { 0xcf }, { 0x66, 0x9c }, { 0x66, 0xcf } }) {
        enter(flags | 2 << 12);
        EXPECT_EQ(faultOfStep(bytes), generalProtection()) << std::hex << static_cast<unsigned>(*bytes.begin());
        EXPECT_EQ(cpu.gpr[Esp], 0x100u);
        EXPECT_EQ(cpu.eflags(), flags | 2 << 12);
    }
    enter(flags | iopl3);
    step({ 0xfa });
    EXPECT_FALSE(cpu.otherFlags & eflags::interruptEnable);
    step({ 0xfb });
    EXPECT_TRUE(cpu.otherFlags & eflags::interruptEnable);
    step({ 0x9c });
    EXPECT_EQ(word(0x60fe), (flags | iopl3) & 0xffff);
}

TEST_F(Virtual8086Test, PopfAndIretKeepModeAndIopl)
{
    enter(flags | iopl3);
    put<uint16_t>(0x6100, 0x0003); // IOPL 0, IF 0
    step({ 0x9d });
    EXPECT_EQ(cpu.eflags(), eflags::virtual8086 | iopl3 | 3);
    enter(flags | iopl3);
    put<uint16_t>(0x6100, 0x0044);
    put<uint16_t>(0x6102, 0x0900);
    put<uint16_t>(0x6104, 0x0001);
    cpu.nmiBlocked = true;
    step({ 0xcf });
    EXPECT_EQ(cpu.eip, 0x44u);
    EXPECT_EQ(cpu.segments[Cs].state, paragraph(0x0900));
    EXPECT_EQ(cpu.eflags(), eflags::virtual8086 | iopl3 | 3);
    EXPECT_EQ(cpu.gpr[Esp], 0x106u);
    EXPECT_FALSE(cpu.nmiBlocked);
}

TEST_F(Virtual8086Test, ThirtyTwoBitPopfLeavesVm)
{
    enter(flags | iopl3);
    put<uint32_t>(0x6100, eflags::alignmentCheck | eflags::identification);
    step({ 0x66, 0x9d });
    EXPECT_EQ(cpu.eflags(),
        eflags::alwaysOne | eflags::virtual8086 | iopl3 | eflags::alignmentCheck | eflags::identification);
}

TEST_F(Virtual8086Test, SystemInstructionsAreForOthers)
{
    for (const auto& bytes : std::initializer_list<std::initializer_list<uint8_t>> { { 0xf4 }, // hlt
             { 0x0f, 0x20, 0xc0 }, { 0x0f, 0x21, 0xc0 }, // mov eax,cr0; mov eax,dr0
             { 0x0f, 0x01, 0x16, 0x00, 0x00 }, // lgdt
             { 0x0f, 0x06 }, { 0x0f, 0x32 }, { 0x0f, 0x35 } }) // clts; rdmsr; sysexit
        EXPECT_EQ(faultOfStep(bytes), generalProtection()) << std::hex << static_cast<unsigned>(bytes.begin()[1]);
    for (const auto& bytes : std::initializer_list<std::initializer_list<uint8_t>> { { 0x0f, 0x00, 0xc0 },
             { 0x0f, 0x00, 0xc8 }, // sldt ax; str ax
             { 0x0f, 0x00, 0xd0 }, { 0x0f, 0x00, 0xd8 }, // lldt ax; ltr ax
             { 0x0f, 0x02, 0xc0 }, { 0x0f, 0x03, 0xc0 }, // lar; lsl
             { 0x0f, 0x00, 0xe0 }, { 0x63, 0xc0 } }) // verr ax; arpl ax,ax
        EXPECT_EQ(faultOfStep(bytes), invalidOpcode()) << std::hex << static_cast<unsigned>(bytes.begin()[1]);
    step({ 0x0f, 0x01, 0xe0 }); // smsw ax
    EXPECT_EQ(cpu.gpr[Eax] & 0xffff, cpu.cr0 & 0xffff);
}

TEST_F(Virtual8086Test, PortsAreTheMapsWhateverIoplIs)
{
    enter(flags | iopl3);
    EXPECT_EQ(faultOfStep({ 0xe4, 0x60 }), generalProtection()) << "no map";
    put<uint16_t>(tss + 102, 0x70);
    put<uint8_t>(tss + 0x70 + 0x60 / 8, 0xfe); // port 60h alone
    step({ 0xe4, 0x60 });
    EXPECT_EQ(bus.portReads.size(), 1u);
    EXPECT_EQ(faultOfStep({ 0xe5, 0x60 }), generalProtection()) << "a word reaches port 61h";
}

TEST_F(Virtual8086Test, InterruptsLeaveItWithAllSegmentsOnTheStack)
{
    setGate(0x30, makeGate(kernelCode, 0x7000, interruptGate32));
    deliverInterrupt(cpu, 0x30);
    EXPECT_EQ(cpu.cpl, 0);
    EXPECT_EQ(cpu.nextEip, 0x7000u);
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 36);
    const uint32_t frame[] = { 0x20, 0x0500, flags, 0x100, 0x0600, 0x0700, 0x0800, 0x0900, 0x0a00 };
    for (uint32_t n = 0; n < 9; ++n)
        EXPECT_EQ(get32(kernelStack - 36 + 4 * n), frame[n]) << n;
    EXPECT_EQ(cpu.segments[Ss].state.selector, kernelData);
    for (const SegmentIndex index : { Es, Ds, Fs, Gs })
        EXPECT_EQ(cpu.segments[index].state, nullSegment(0));
    returnFromInterrupt(cpu, 4);
    EXPECT_EQ(cpu.eflags(), flags);
    EXPECT_EQ(cpu.segments[Gs].state, paragraph(0x0a00));
    EXPECT_EQ(cpu.gpr[Esp], 0x100u);
}

TEST_F(Virtual8086Test, SixteenBitGatesPushWords)
{
    setGate(0x30, makeGate(kernelCode, 0x7000, interruptGate16));
    deliverInterrupt(cpu, 0x30);
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 18);
    EXPECT_EQ(word(kernelStack - 18), 0x20);
    EXPECT_EQ(word(kernelStack - 2), 0x0a00);
}

TEST_F(Virtual8086Test, FaultsCarryTheirErrorCodeBelowTheFrame)
{
    setGate(13, makeGate(kernelCode, 0x7000, trapGate32));
    deliverException(cpu, { Exception::GeneralProtection, 0 });
    EXPECT_EQ(cpu.gpr[Esp], kernelStack - 40);
    EXPECT_EQ(get32(kernelStack - 40), 0u);
    EXPECT_EQ(get32(kernelStack - 36), 0x20u);
    EXPECT_EQ(get32(kernelStack - 28), flags | eflags::resume);
    EXPECT_TRUE(cpu.otherFlags & eflags::interruptEnable) << "a trap gate";
}

TEST_F(Virtual8086Test, HandlersMustBeOfLevel0)
{
    setDescriptor(spare, makeDescriptor(0, 0xfffff, conformingCode0));
    setGate(0x30, makeGate(spare, 0x7000, interruptGate32 | level3));
    EXPECT_EQ(faultOf([&] { deliverSoftwareInterrupt(cpu, 0x30); }), generalProtection(spare));
    setGate(0x30, makeGate(userCode, 0x7000, interruptGate32 | level3));
    EXPECT_EQ(faultOf([&] { deliverSoftwareInterrupt(cpu, 0x30); }), generalProtection(userCode & ~3));
    EXPECT_TRUE(cpu.virtual8086());
    EXPECT_EQ(cpu.gpr[Esp], 0x100u);
}

TEST_F(Virtual8086Test, SoftwareInterruptsGoThroughTheGateAndItsPrivilege)
{
    enter(flags | iopl3);
    setGate(0x21, makeGate(kernelCode, 0x7000, interruptGate32));
    EXPECT_EQ(faultOfStep({ 0xcd, 0x21 }), generalProtection(0x21 * 8 + 2));
    setGate(0x21, makeGate(kernelCode, 0x7000, interruptGate32 | level3));
    step({ 0xcd, 0x21 });
    EXPECT_EQ(cpu.eip, 0x7000u);
    EXPECT_EQ(get32(kernelStack - 36), 0x22u);

    enter(flags); // INT3 does not ask for IOPL
    setGate(3, makeGate(kernelCode, 0x7100, interruptGate32 | level3));
    step({ 0xcc });
    EXPECT_EQ(cpu.eip, 0x7100u);
}

TEST_F(Virtual8086Test, ASavedStateComesBack)
{
    const CpuState state = cpu.save();
    cpu.load(CpuState::afterReset());
    cpu.load(state);
    EXPECT_EQ(cpu.cpl, 3);
    EXPECT_TRUE(cpu.paragraphSegments());
    EXPECT_EQ(cpu.save(), state);
}

} // namespace namsan
