// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/pci/pci_configuration_space.h"

#include <gtest/gtest.h>

namespace namsan {

class PciConfigurationSpaceTest : public ::testing::Test {
protected:
    PciConfigurationSpace space { 0x8086, 0x1234, 0x020000, 0x07 };
};

TEST_F(PciConfigurationSpaceTest, DescribesTheFunction)
{
    EXPECT_EQ(space.read(pci::vendorId, Width::Dword), 0x12348086u);
    EXPECT_EQ(space.read(pci::revisionId, Width::Dword), 0x02000007u);
}

TEST_F(PciConfigurationSpaceTest, ChangesOnlyWhatIsWritable)
{
    space.setWritable(pci::interruptLine, 0xff);
    space.setWord(pci::status, 0x2200);
    space.setClearedByOne(pci::status + 1, 0x20);
    for (unsigned offset = 0; offset < 256; offset += 4)
        space.write(static_cast<uint8_t>(offset), Width::Dword, 0xffffffff);
    EXPECT_EQ(space.read(pci::vendorId, Width::Dword), 0x12348086u);
    EXPECT_EQ(space.read(pci::interruptLine, Width::Dword), 0xffu);
    EXPECT_EQ(space.read(pci::status, Width::Word), 0x0200u);
    EXPECT_EQ(space.read(0xfc, Width::Dword), 0u);
}

// PCI 2.1, 6.2.5.1: all ones written come back as the size's complement and the flags.
TEST_F(PciConfigurationSpaceTest, TellsTheSizesOfItsRanges)
{
    space.addMemoryBar(0, 0x1000000, true);
    space.addIoBar(1, 32);
    space.write(0x10, Width::Dword, 0xffffffff);
    space.write(0x14, Width::Dword, 0xffffffff);
    space.write(0x18, Width::Dword, 0xffffffff);
    EXPECT_EQ(space.read(0x10, Width::Dword), 0xff000008u);
    EXPECT_EQ(space.read(0x14, Width::Dword), 0xffffffe1u);
    EXPECT_EQ(space.read(0x18, Width::Dword), 0u);
}

TEST_F(PciConfigurationSpaceTest, MapsItsRangesOnlyWhileEnabled)
{
    space.addMemoryBar(0, 0x1000, false);
    space.addIoBar(1, 32);
    space.write(0x10, Width::Dword, 0xe0000123);
    space.write(0x14, Width::Dword, 0xc05f);
    EXPECT_FALSE(space.barAddress(0));
    EXPECT_FALSE(space.barAddress(1));
    space.write(pci::command, Width::Word, pci::memorySpace);
    EXPECT_EQ(space.barAddress(0), 0xe0000000u);
    EXPECT_FALSE(space.barAddress(1));
    space.write(pci::command, Width::Word, pci::ioSpace | pci::memorySpace);
    EXPECT_EQ(space.barAddress(1), 0xc040u);
    space.reset();
    EXPECT_FALSE(space.barAddress(0));
}

} // namespace namsan
