// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/boot_sector.h"

#include "tests/support/temporary_folder.h"
#include "tests/support/test_guests.h"
#include "vmm/firmware/bios_environment.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

class BootSectorTest : public ::testing::Test {
protected:
    TemporaryFolder folder;
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(1 << 20));

    template <class T> T at(PhysicalAddress address)
    {
        std::array<uint8_t, sizeof(T)> bytes;
        memory->read(address, bytes);
        return littleEndianAt<T>(bytes, 0);
    }
    std::string refusal(const std::string& path)
    {
        const auto state = loadBootSector(*memory, path);
        return state ? "it loads" : state.error().message;
    }
};

} // namespace

TEST_F(BootSectorTest, StartsAsABiosStartsIt)
{
    const auto sector = testguest::bootSector({ 0xf4 });
    const auto state = loadBootSector(*memory, folder.write("sector", sector));
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->segments[Cs].base + state->eip, 0x7c00u);
    EXPECT_EQ(state->cr0 & cr0::protectionEnable, 0u);
    EXPECT_EQ(state->gpr[Edx] & 0xff, 0x80u);
    EXPECT_EQ(state->gpr[Esp], 0x7c00u);
    EXPECT_NE(state->eflags & eflags::interruptEnable, 0u);
    EXPECT_EQ(state->idtr, (DescriptorTableState { 0, 0x3ff }));
    for (const SegmentState& segment : state->segments) {
        EXPECT_EQ(segment.base, 16u * segment.selector);
        EXPECT_EQ(segment.limit, 0xffffu);
    }
    EXPECT_EQ(at<uint8_t>(0x7c00), 0xf4);
    EXPECT_EQ(at<uint16_t>(0x7dfe), 0xaa55);
}

TEST_F(BootSectorTest, SaysWhyAFileIsNone)
{
    EXPECT_EQ(refusal(folder.path("none")),
        "The boot sector " + folder.path("none")
            + " cannot be read: No such file or directory. Check the path and its permissions.");
    EXPECT_EQ(refusal(folder.write("short", std::string_view("abc"))),
        "The boot sector " + folder.path("short")
            + " has 3 bytes, and a boot sector has 512. Name a file with just the sector.");
    EXPECT_NE(refusal(folder.write("long", std::vector<uint8_t>(1024))).find("has 1024 bytes"), std::string::npos);
    EXPECT_EQ(refusal(folder.write("plain", std::vector<uint8_t>(512))),
        "The boot sector " + folder.path("plain")
            + " does not end with the bytes 55 AA, which make it one. Put them at offset 510.");
}

TEST_F(BootSectorTest, FindsVectorsThatReturn)
{
    writeBiosEnvironment(*memory);
    for (unsigned vector = 0; vector < 256; ++vector) {
        const PhysicalAddress handler = 16u * at<uint16_t>(4 * vector + 2) + at<uint16_t>(4 * vector);
        EXPECT_EQ(handler >> 16, 0xfu) << vector;
        const bool hardware = (vector >= 8 && vector < 16) || (vector >= 0x70 && vector < 0x78);
        EXPECT_TRUE(hardware || at<uint8_t>(handler) == 0xcf) << vector;
    }
    EXPECT_EQ(at<uint16_t>(0x40e), 0x9fc0);
    EXPECT_EQ(at<uint16_t>(0x413), 639);
    EXPECT_EQ(at<uint8_t>(0x449), 3);
    EXPECT_EQ(at<uint8_t>(0xffff0), 0xea);
}

} // namespace namsan
