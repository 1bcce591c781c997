// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/rom_boot.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

class RomBootTest : public ::testing::Test {
protected:
    const TemporaryFolder folder;
    const std::string path = folder.path("rom");
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(1 << 20));

    uint8_t at(PhysicalAddress address)
    {
        uint8_t byte = 0;
        memory->read(address, { &byte, 1 });
        return byte;
    }
    std::string refusal()
    {
        const auto plugged = plugInRom(*memory, path);
        return plugged ? "it is taken" : plugged.error().message;
    }
};

} // namespace

TEST_F(RomBootTest, EndsAt4GibibytesWithACopyBelow1Mebibyte)
{
    std::vector<uint8_t> image(192 << 10, 0x11);
    image[64 << 10] = 0x22;
    image.back() = 0x33;
    folder.write("rom", image);
    ASSERT_TRUE(plugInRom(*memory, path));
    const auto state = loadRom(*memory, path, CpuModel::standard());
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(*state, CpuState::afterReset());
    const CpuModel& oldest = CpuModel::byGeneration().front();
    EXPECT_EQ(loadRom(*memory, path, oldest)->gpr[Edx], oldest.signature());
    EXPECT_EQ(at(0xfffcffff), 0xff);
    EXPECT_EQ(at(0xfffd0000), 0x11);
    EXPECT_EQ(at(0xffffffff), 0x33);
    EXPECT_EQ(at(0xdffff), 0);
    EXPECT_EQ(at(0xe0000), 0x22);
    EXPECT_EQ(at(0xfffff), 0x33);
    EXPECT_TRUE(memory->flags(0xfffd0000) & GuestMemory::ReadOnly);
    EXPECT_TRUE(memory->flags(0xffffffff) & GuestMemory::ReadOnly);
    EXPECT_FALSE(memory->flags(0xfffff) & GuestMemory::ReadOnly);
}

TEST_F(RomBootTest, IsReadAgainAtAReset)
{
    std::vector<uint8_t> image(64 << 10, 0x11);
    folder.write("rom", image);
    ASSERT_TRUE(plugInRom(*memory, path));
    ASSERT_TRUE(loadRom(*memory, path, CpuModel::standard()));
    memory->fill(0xe0000, 0x20000, 0x77);
    image[0] = 0x44;
    folder.write("rom", image);
    ASSERT_TRUE(loadRom(*memory, path, CpuModel::standard()));
    EXPECT_EQ(at(0xffff0000), 0x44);
    EXPECT_EQ(at(0xf0000), 0x44);
    EXPECT_EQ(at(0xfffff), 0x11);
    EXPECT_EQ(at(0xeffff), 0x77) << "a small ROM has no more to copy";

    folder.write("rom", std::vector<uint8_t>(128 << 10));
    const auto changed = loadRom(*memory, path, CpuModel::standard());
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().message,
        "The ROM " + path + " has another size than when the machine was made. Start the machine anew.");
}

TEST_F(RomBootTest, MayHave16Mebibytes)
{
    folder.write("rom", std::vector<uint8_t>(largestRom, 0x5a));
    ASSERT_TRUE(plugInRom(*memory, path));
    ASSERT_TRUE(loadRom(*memory, path, CpuModel::standard()));
    EXPECT_EQ(at(0xff000000), 0x5a);
}

TEST_F(RomBootTest, SaysWhyAnotherFileDoesNotDo)
{
    EXPECT_EQ(refusal(),
        "The ROM " + path + " cannot be read: No such file or directory. Check the path and its permissions.");
    for (const uint64_t size : { uint64_t { 1 }, smallestRom - 1, smallestRom + 1, largestRom + smallestRom }) {
        folder.write("rom", std::vector<uint8_t>(size));
        EXPECT_EQ(refusal(),
            "The ROM " + path + " has " + std::to_string(size)
                + " bytes, and a ROM has 64 KiB to 16 MiB in whole 64 KiB. Pad the file at its beginning.");
    }
    folder.write("rom", std::string_view());
    EXPECT_EQ(refusal(), "The ROM " + path + " is empty. Name a complete file.");
}

} // namespace namsan
