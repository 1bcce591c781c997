// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"

#include <gtest/gtest.h>

namespace namsan {

class PortInstructionsTest : public ::testing::Test, protected ProcessorBench {
protected:
    using Accesses = std::vector<RecordingBus::Access>;

    PortInstructionsTest()
    {
        enterProtectedMode();
        cpu.gpr[Edx] = 0xffff01f0;
    }

    void allowPorts(uint16_t first, unsigned count)
    {
        put<uint16_t>(tss + 102, 0x68);
        for (unsigned byte = 0; byte < 0x90; ++byte)
            put<uint8_t>(tss + 0x68 + byte, 0xff);
        for (unsigned port = first; port < first + count; ++port) {
            const uint64_t address = tss + 0x68 + port / 8;
            put<uint8_t>(address, static_cast<uint8_t>(get<uint8_t>(address) & ~(1 << port % 8)));
        }
    }
};

TEST_F(PortInstructionsTest, InReplacesAsMuchOfEaxAsItsWidth)
{
    cpu.gpr[Eax] = 0xaaaaaaaa;
    step({ 0xe4, 0x60 });
    EXPECT_EQ(cpu.gpr[Eax], 0xaaaaaa78u);
    step({ 0x66, 0xed });
    EXPECT_EQ(cpu.gpr[Eax], 0xaaaa5678u);
    step({ 0xed });
    EXPECT_EQ(cpu.gpr[Eax], 0x12345678u);
    EXPECT_EQ(bus.portReads, (Accesses { { 0x60, 1, 0 }, { 0x1f0, 2, 0 }, { 0x1f0, 4, 0 } }));
    EXPECT_EQ(counters.portReads.value(), 3u);
    EXPECT_TRUE(cpu.leaveBlock);
}

TEST_F(PortInstructionsTest, OutSendsItsWidth)
{
    cpu.gpr[Eax] = 0x89abcdef;
    step({ 0xe6, 0xf0 });
    step({ 0x66, 0xe7, 0x80 });
    step({ 0xee });
    step({ 0xef });
    EXPECT_EQ(bus.portWrites,
        (Accesses { { 0xf0, 1, 0xef }, { 0x80, 2, 0xcdef }, { 0x1f0, 1, 0xef }, { 0x1f0, 4, 0x89abcdef } }));
    EXPECT_EQ(counters.portWrites.value(), 4u);
}

TEST_F(PortInstructionsTest, TheIoMapOpensSinglePortsToUsers)
{
    allowPorts(0x1f0, 2);
    enterLevel3();
    EXPECT_FALSE(faultOfStep({ 0x66, 0xed })) << "both ports of a word are open";
    EXPECT_EQ(faultOfStep({ 0xed }), generalProtection());
    cpu.gpr[Edx] = 0x1ef;
    EXPECT_EQ(faultOfStep({ 0x66, 0xed }), generalProtection()) << "crosses a byte of the map";
    EXPECT_EQ(bus.portReads.size(), 1u);
}

TEST_F(PortInstructionsTest, PortsBeyondTheMapsEndAreClosed)
{
    allowPorts(0x1f0, 8);
    enterLevel3();
    cpu.tr.limit = 0x68 + 0x1f0 / 8;
    EXPECT_EQ(faultOfStep({ 0xec }), generalProtection());
    cpu.tr.limit += 1;
    EXPECT_FALSE(faultOfStep({ 0xec }));
    cpu.tr.accessRights = 0x83; // a 16-bit TSS has no map
    EXPECT_EQ(faultOfStep({ 0xec }), generalProtection());
}

TEST_F(PortInstructionsTest, IoPrivilegeOpensAllPorts)
{
    enterLevel3();
    cpu.setEflags(eflags::alwaysOne | eflags::ioPrivilege);
    EXPECT_FALSE(faultOfStep({ 0xec }));
    EXPECT_FALSE(faultOfStep({ 0xfa }));
}

TEST_F(PortInstructionsTest, StringsMoveThroughMemory)
{
    cpu.gpr[Edi] = 0x6000;
    step({ 0x66, 0x6d });
    EXPECT_EQ(get32(0x6000), 0x5678u);
    EXPECT_EQ(cpu.gpr[Edi], 0x6002u);
    cpu.gpr[Esi] = 0x6000;
    cpu.setEflags(eflags::alwaysOne | eflags::direction);
    step({ 0x6f });
    EXPECT_EQ(bus.portWrites, (Accesses { { 0x1f0, 4, 0x5678 } }));
    EXPECT_EQ(cpu.gpr[Esi], 0x5ffcu);
}

TEST_F(PortInstructionsTest, RepeatsInPiecesThatInterruptsCanPart)
{
    cpu.gpr[Ecx] = 100;
    cpu.gpr[Edi] = 0x6000;
    const uint32_t start = cpu.eip;
    unsigned pieces = 0;
    do {
        step({ 0xf3, 0x6c });
        ++pieces;
    } while (cpu.eip == start && pieces < 100);
    EXPECT_GT(pieces, 1u);
    EXPECT_EQ(cpu.eip, start + 2);
    EXPECT_EQ(cpu.gpr[Ecx], 0u);
    EXPECT_EQ(cpu.gpr[Edi], 0x6064u);
    EXPECT_EQ(bus.portReads.size(), 100u);
}

TEST_F(PortInstructionsTest, RepeatingNothingTouchesNothing)
{
    cpu.gpr[Ecx] = 0;
    cpu.gpr[Edi] = 0x6000;
    step({ 0xf3, 0x6d });
    EXPECT_TRUE(bus.portReads.empty());
    EXPECT_EQ(cpu.gpr[Edi], 0x6000u);
}

TEST_F(PortInstructionsTest, AFaultLosesNothingThatWasRead)
{
    enablePaging();
    setPage(0x7000, 0);
    cpu.gpr[Ecx] = 4;
    cpu.gpr[Edi] = 0x6ff8;
    EXPECT_EQ(faultOfStep({ 0xf3, 0x6d }), pageFault(2));
    EXPECT_EQ(bus.portReads.size(), 2u);
    EXPECT_EQ(cpu.gpr[Ecx], 2u);
    EXPECT_EQ(cpu.gpr[Edi], 0x7000u);
}

TEST_F(PortInstructionsTest, SixteenBitAddressesWrapAndKeepTheUpperHalves)
{
    cpu.gpr[Ecx] = 0xabcd0002;
    cpu.gpr[Esi] = 0x1234ffff;
    step({ 0xf3, 0x67, 0x6e });
    EXPECT_EQ(cpu.gpr[Esi], 0x12340001u);
    EXPECT_EQ(cpu.gpr[Ecx], 0xabcd0000u);
    EXPECT_EQ(bus.portWrites.size(), 2u);
}

} // namespace namsan
