// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/guest_program.h"
#include "tests/vmm/engine/processor_bench.h"

#include <gtest/gtest.h>

namespace namsan {

// PAE as software turns it on, and the pointers that CR3 loads. Intel SDM volume 3, 4.4.1.
class PaeControlTest : public ::testing::Test, protected ProcessorBench {
protected:
    static constexpr uint32_t pointers = 0x20000;
    static constexpr uint32_t directory = 0x21000;
    static constexpr uint32_t otherPointers = 0x22020;
    static constexpr uint64_t noExecute = uint64_t { 1 } << 63;

    PaeControlTest()
    {
        enterProtectedMode();
        put<uint64_t>(pointers, directory | 1);
        put<uint64_t>(otherPointers, directory | 1);
        for (uint32_t n = 0; n < 8; ++n) // 16 MiB onto themselves
            put<uint64_t>(directory + 8 * n, n << 21 | 0xe7);
    }
    void turnOn()
    {
        writeCr3(cpu, pointers);
        writeCr4(cpu, cr4::physicalAddressExtension);
        writeCr0(cpu, cpu.cr0 | cr0::paging | cr0::writeProtect);
    }
    std::optional<Fault> faultOfRead(uint32_t linear)
    {
        return faultOf([&] { cpu.read<uint32_t>(Ds, linear); });
    }
};

TEST_F(PaeControlTest, PagingGoesOnWithThePointersOfThatMoment)
{
    turnOn();
    put<uint32_t>(0x00654320, 0x600df00d);
    EXPECT_EQ(cpu.read<uint32_t>(Ds, 0x00654320), 0x600df00du);
    EXPECT_EQ(faultOfRead(0x40000000), pageFault(0));
    put<uint64_t>(pointers + 8, directory | 1);
    cpu.memory.flushAll();
    EXPECT_EQ(faultOfRead(0x40000000), pageFault(0)) << "not before CR3 is written";
    writeCr3(cpu, pointers);
    EXPECT_EQ(cpu.read<uint32_t>(Ds, 0x40654320), 0x600df00du);
}

TEST_F(PaeControlTest, ReservedBitsOfPointersAreRefusedWhereverTheyAreLoaded)
{
    put<uint64_t>(pointers + 16, directory | 3);
    writeCr3(cpu, pointers); // not yet looked at
    writeCr4(cpu, cr4::physicalAddressExtension);
    const uint32_t before = cpu.cr0;
    EXPECT_EQ(faultOf([&] { writeCr0(cpu, cpu.cr0 | cr0::paging); }), generalProtection());
    EXPECT_EQ(cpu.cr0, before);

    put<uint64_t>(pointers + 16, 0);
    turnOn();
    put<uint64_t>(otherPointers + 24, directory | 0x101);
    EXPECT_EQ(faultOf([&] { writeCr3(cpu, otherPointers); }), generalProtection());
    EXPECT_EQ(cpu.cr3, pointers);
    put<uint64_t>(pointers + 24, directory | 0x101);
    EXPECT_EQ(faultOf([&] { writeCr4(cpu, cpu.cr4 | cr4::pageGlobalEnable); }), generalProtection());
    EXPECT_EQ(cpu.cr4, cr4::physicalAddressExtension);
    EXPECT_FALSE(faultOf([&] { writeCr4(cpu, cpu.cr4 | cr4::timeStampDisable); })) << "loads nothing";
    EXPECT_FALSE(faultOfRead(0x00123450));
}

TEST_F(PaeControlTest, LeavingItTakesTheOtherTablesAgain)
{
    turnOn();
    EXPECT_FALSE(faultOfRead(0x00200000));
    writeCr0(cpu, cpu.cr0 & ~cr0::paging);
    writeCr4(cpu, 0);
    enablePaging();
    EXPECT_FALSE(faultOfRead(0x00200000));
    EXPECT_EQ(faultOfRead(0x00400000), pageFault(0)) << "4 MiB are mapped there";
}

TEST_F(PaeControlTest, EferHasOneBit)
{
    cpu.gpr[Ecx] = 0xc0000080;
    cpu.gpr[Eax] = 1 << 11;
    cpu.gpr[Edx] = 0;
    step({ 0x0f, 0x30 }); // wrmsr
    EXPECT_EQ(cpu.efer, efer::noExecuteEnable);
    cpu.gpr[Eax] = 0;
    step({ 0x0f, 0x32 }); // rdmsr
    EXPECT_EQ(cpu.gpr[Eax], 1u << 11);
    cpu.gpr[Eax] = 1; // SCE
    EXPECT_EQ(faultOfStep({ 0x0f, 0x30 }), generalProtection());
    cpu.gpr[Eax] = 0;
    cpu.gpr[Edx] = 1;
    EXPECT_EQ(faultOfStep({ 0x0f, 0x30 }), generalProtection());
    EXPECT_EQ(cpu.efer, efer::noExecuteEnable);
}

TEST_F(PaeControlTest, NoExecuteAppliesToFetchesAlone)
{
    turnOn();
    writeEfer(cpu, efer::noExecuteEnable);
    put<uint64_t>(directory + 8, 1 << 21 | 0xe7 | noExecute);
    cpu.memory.flushAll();
    EXPECT_FALSE(faultOfRead(0x00200000));
    EXPECT_EQ(faultOf([&] { cpu.memory.translateFetch(0x00200000); }), pageFault(0b10001));
    EXPECT_EQ(cpu.cr2, 0x00200000u);
    EXPECT_FALSE(faultOfRead(0x00200000)) << "still";
    writeEfer(cpu, 0);
    EXPECT_EQ(faultOfRead(0x00200000), pageFault(0b01001)) << "the bit is reserved now";
}

TEST_F(PaeControlTest, InvlpgForgetsAllOfALargePage)
{
    turnOn();
    for (const uint32_t linear : { 0x00200000u, 0x003ff000u })
        EXPECT_FALSE(faultOfRead(linear));
    put<uint64_t>(directory + 8, 0);
    EXPECT_FALSE(faultOfRead(0x003ff000)) << "still cached";
    cpu.memory.invalidatePage(0x00200000);
    EXPECT_EQ(faultOfRead(0x003ff000), pageFault(0));
}

TEST_F(PaeControlTest, ASavedStateReadsThePointersAnew)
{
    turnOn();
    writeEfer(cpu, efer::noExecuteEnable);
    const CpuState state = cpu.save();
    EXPECT_EQ(state.efer, efer::noExecuteEnable);
    cpu.load(CpuState::afterReset());
    EXPECT_EQ(cpu.efer, 0u);
    cpu.load(state);
    EXPECT_EQ(cpu.pageDirectoryPointers[0], directory | 1);
    EXPECT_FALSE(faultOfRead(0x00200000));
    EXPECT_EQ(cpu.save(), state);
}

TEST(PaeInterpreter, AJumpToANoExecutePageFaultsThere)
{
    GuestProgram program;
    program.write<uint64_t>(0x30000, 0x31001);
    program.write<uint64_t>(0x31000, 0x00000000e3); // the first 2 MiB
    program.write<uint64_t>(0x31008, 0x80000000000000e3); // the same once more, not to be executed
    program.state.cr3 = 0x30000;
    program.state.cr4 = cr4::physicalAddressExtension;
    program.state.efer = efer::noExecuteEnable;
    program.state.cr0 |= cr0::paging;
    program.code({ 0xa0, 0x00, 0x00, 0x21, 0x00, 0xe9, 0x00, 0x00, 0x20, 0x00 }); // mov al,[210000h]; jmp 21000ah
    EXPECT_EQ(program.run(), VcpuExit::Reason::Halted);
    EXPECT_EQ(program.raised(), 14u);
    EXPECT_EQ(program.reg(Eax) & 0xff, 0xa0u);
    EXPECT_EQ(program.pushed(0), 0b10001u);
    EXPECT_EQ(program.pushed(1), 0x21000au);
    EXPECT_EQ(program.state.cr2, 0x21000au);
}

} // namespace namsan
