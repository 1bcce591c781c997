// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/control_registers.h"

#include "tests/vmm/engine/processor_bench.h"
#include "vmm/engine/interpret/debug_registers.h"
#include "vmm/engine/interpret/interrupt_delivery.h"

#include <gtest/gtest.h>

namespace namsan {

class ControlRegistersTest : public ::testing::Test, protected ProcessorBench {
protected:
    std::optional<Fault> faultOfCr0(uint32_t value)
    {
        return faultOf([&] { writeCr0(cpu, value); });
    }
    std::optional<Fault> faultOfCr4(uint32_t value)
    {
        return faultOf([&] { writeCr4(cpu, value); });
    }
};

TEST_F(ControlRegistersTest, RefusesCombinationsOfCr0ThatMeanNothing)
{
    const uint32_t before = cpu.cr0;
    EXPECT_EQ(faultOfCr0(cr0::paging), generalProtection());
    EXPECT_EQ(faultOfCr0(cr0::notWriteThrough), generalProtection());
    EXPECT_EQ(cpu.cr0, before);
}

TEST_F(ControlRegistersTest, Cr0KeepsItsFixedBits)
{
    writeCr0(cpu, 0);
    EXPECT_EQ(cpu.cr0, cr0::extensionType);
    writeCr0(cpu, 0x0ff0ffc0 | cr0::protectionEnable);
    EXPECT_EQ(
        cpu.cr0, cr0::extensionType | cr0::protectionEnable | (0x0ff0ffc0 & (cr0::writeProtect | cr0::alignmentMask)));
    EXPECT_TRUE(cpu.leaveBlock);
}

TEST_F(ControlRegistersTest, ProtectedModeKeepsTheHiddenPartsOfSegments)
{
    cpu.setSegment(Ds, { 0x123, 0x93, 0x1230, 0xffff });
    writeCr0(cpu, cr0::protectionEnable);
    EXPECT_EQ(cpu.linearForRead(Ds, 0x10, 1), 0x1240u);
    writeCr0(cpu, 0);
    EXPECT_EQ(cpu.linearForRead(Ds, 0x10, 1), 0x1240u);
}

TEST_F(ControlRegistersTest, Cr4TakesWhatCpuidPromises)
{
    EXPECT_FALSE(faultOfCr4(cr4::pageSizeExtensions | cr4::pageGlobalEnable | cr4::fxsave | cr4::simdExceptions
        | cr4::timeStampDisable | cr4::debuggingExtensions | cr4::physicalAddressExtension));
    const uint32_t before = cpu.cr4;
    EXPECT_EQ(faultOfCr4(cr4::virtual8086Extensions), generalProtection());
    EXPECT_EQ(faultOfCr4(cr4::machineCheckEnable), generalProtection());
    EXPECT_EQ(faultOfCr4(1 << 20), generalProtection());
    EXPECT_EQ(cpu.cr4, before);
}

TEST_F(ControlRegistersTest, MovesToAndFromRegisters)
{
    cpu.gpr[Ebx] = 0x00abc018;
    step({ 0x0f, 0x22, 0xdb }); // mov cr3, ebx
    EXPECT_EQ(cpu.cr3, 0x00abc018u);
    step({ 0x0f, 0x20, 0x18 }); // mov eax, cr3: the mod bits are ignored
    EXPECT_EQ(cpu.gpr[Eax], 0x00abc018u);
    cpu.gpr[Ebx] = 0x1234;
    step({ 0x0f, 0x22, 0xd3 }); // mov cr2, ebx
    EXPECT_EQ(cpu.cr2, 0x1234u);
    EXPECT_EQ(faultOfStep({ 0x0f, 0x22, 0xcb }), invalidOpcode()) << "cr1";
    EXPECT_EQ(faultOfStep({ 0x0f, 0x20, 0xc8 }), invalidOpcode());
}

TEST_F(ControlRegistersTest, PagingTurnsOnAndOff)
{
    enterProtectedMode();
    enablePaging();
    setPage(0x00200000, 0x00300000 | 7);
    put<uint32_t>(0x00300000, 0x33);
    EXPECT_EQ(cpu.read<uint32_t>(Ds, 0x00200000), 0x33u);
    writeCr0(cpu, cpu.cr0 & ~cr0::paging);
    EXPECT_EQ(cpu.read<uint32_t>(Ds, 0x00200000), 0u);
}

TEST_F(ControlRegistersTest, MachineStatusWordEntersProtectedModeButDoesNotLeaveIt)
{
    cpu.gpr[Eax] = 0xffff;
    step({ 0x0f, 0x01, 0xf0 }); // lmsw ax
    EXPECT_EQ(cpu.cr0 & 0xffff, 0x1fu);
    cpu.gpr[Eax] = 0;
    step({ 0x0f, 0x01, 0xf0 });
    EXPECT_EQ(cpu.cr0 & 0xffff, 0x11u);
    cpu.gpr[Ebx] = 0xffffffff;
    step({ 0x0f, 0x01, 0xe3 }); // smsw bx, with 16-bit operands
    EXPECT_EQ(cpu.gpr[Ebx], 0xffff0011u);
    step({ 0x66, 0x0f, 0x01, 0xe3 });
    EXPECT_EQ(cpu.gpr[Ebx], cpu.cr0);
}

TEST_F(ControlRegistersTest, ClearsTaskSwitched)
{
    writeCr0(cpu, cr0::taskSwitched);
    step({ 0x0f, 0x06 });
    EXPECT_FALSE(cpu.cr0 & cr0::taskSwitched);
}

TEST_F(ControlRegistersTest, PrivilegedInstructionsFaultOutsideOfLevel0)
{
    enterProtectedMode();
    enterLevel3();
    const std::initializer_list<uint8_t> privileged[] = {
        { 0x0f, 0x20, 0xc0 }, // mov eax, cr0
        { 0x0f, 0x22, 0xc0 }, { 0x0f, 0x21, 0xc0 }, // mov eax, dr0
        { 0x0f, 0x23, 0xc0 }, { 0x0f, 0x06 }, // clts
        { 0x0f, 0x08 }, // invd
        { 0x0f, 0x09 }, // wbinvd
        { 0x0f, 0x01, 0x38 }, // invlpg [eax]
        { 0x0f, 0x01, 0xf0 }, // lmsw ax
        { 0x0f, 0x01, 0x10 }, // lgdt [eax]
        { 0x0f, 0x01, 0x18 }, // lidt [eax]
        { 0x0f, 0x00, 0xd0 }, // lldt ax
        { 0x0f, 0x00, 0xd8 }, // ltr ax
        { 0x0f, 0x30 }, // wrmsr
        { 0x0f, 0x32 }, // rdmsr
        { 0xf4 }, // hlt
        { 0xfa }, // cli
        { 0xfb }, // sti
        { 0xe4, 0x60 }, // in al, 60h
        { 0xef }, // out dx, eax
        { 0x0f, 0x35 }, // sysexit
    };
    for (const auto& bytes : privileged)
        EXPECT_EQ(faultOfStep(bytes), generalProtection())
            << std::hex << static_cast<unsigned>(bytes.begin()[0]) << " " << static_cast<unsigned>(bytes.begin()[1]);
    EXPECT_FALSE(cpu.halted);
}

TEST_F(ControlRegistersTest, InvalidatesOnePage)
{
    enterProtectedMode();
    enablePaging();
    cpu.read<uint32_t>(Ds, 0x00200000);
    put<uint32_t>(tableEntry(0x00200000), 0x00300000 | 7);
    put<uint32_t>(0x00300000, 0x33);
    cpu.gpr[Eax] = 0x00200010;
    EXPECT_EQ(cpu.read<uint32_t>(Ds, 0x00200000), 0u);
    step({ 0x0f, 0x01, 0x38 }); // invlpg [eax]
    EXPECT_EQ(cpu.read<uint32_t>(Ds, 0x00200000), 0x33u);
    EXPECT_EQ(faultOfStep({ 0x0f, 0x01, 0xf8 }), invalidOpcode()) << "of a register";
}

TEST_F(ControlRegistersTest, DebugRegistersKeepTheirFixedBitsAndAliases)
{
    writeDebugRegister(cpu, 0, 0x1234);
    EXPECT_EQ(readDebugRegister(cpu, 0), 0x1234u);
    writeDebugRegister(cpu, 6, 0);
    EXPECT_EQ(readDebugRegister(cpu, 4), 0xffff0ff0u);
    writeDebugRegister(cpu, 5, 0xffffd3ff);
    EXPECT_EQ(readDebugRegister(cpu, 7), 0xffff07ffu);
    writeCr4(cpu, cr4::debuggingExtensions);
    EXPECT_EQ(faultOfStep({ 0x0f, 0x21, 0xe0 }), invalidOpcode()) << "mov eax,dr4";
    EXPECT_EQ(faultOfStep({ 0x0f, 0x23, 0xe8 }), invalidOpcode()) << "mov dr5,eax";
}

TEST_F(ControlRegistersTest, GeneralDetectTrapsOneAccess)
{
    writeDebugRegister(cpu, 7, 0x2400);
    EXPECT_EQ(faultOf([&] { readDebugRegister(cpu, 0); }), (Fault { Exception::Debug, {} }));
    EXPECT_TRUE(cpu.dr[6] & 1 << 13);
    EXPECT_TRUE(cpu.eflags() & eflags::resume) << "pushed with the fault, which is to be restarted";
    enterProtectedMode();
    setGate(1, makeGate(kernelCode, 0x7000, 0x8e));
    deliverException(cpu, Fault { Exception::Debug, {} });
    EXPECT_FALSE(faultOf([&] { readDebugRegister(cpu, 0); })) << "the handler may";
}

} // namespace namsan
