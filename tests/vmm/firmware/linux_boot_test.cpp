// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/linux_boot.h"

#include "tests/vmm/firmware/kernel_builder.h"
#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/setup_header.h"

#include <gtest/gtest.h>

#include <random>

namespace namsan {

class LinuxBootTest : public ::testing::Test {
protected:
    static constexpr uint64_t ramSize = 32 << 20;

    TemporaryFolder folder;
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(ramSize));
    LinuxBoot boot;

    LinuxBootTest()
    {
        boot.kernel = folder.write("vmlinuz", KernelBuilder().build());
        boot.append = "console=ttyS0";
    }

    Bytes read(PhysicalAddress address, size_t size)
    {
        Bytes bytes(size);
        memory->read(address, bytes);
        return bytes;
    }
    template <class T> T param(uint32_t offset)
    {
        return littleEndianAt<T>(read(linuxboot::bootParams, bootparams::size), offset);
    }
    // Why the boot fails; the sentence names the file.
    std::string refusal(const std::string& file)
    {
        const auto state = loadLinux(*memory, boot);
        if (state)
            return "it loads";
        EXPECT_NE(state.error().message.find(file), std::string::npos) << state.error().message;
        return state.error().message;
    }
    bool refusedBecause(const std::string& file, const std::string& reason)
    {
        const std::string message = refusal(file);
        SCOPED_TRACE(message);
        const bool found = message.find(reason) != std::string::npos;
        EXPECT_TRUE(found) << message;
        return found;
    }
};

TEST_F(LinuxBootTest, EntersTheUnpackedImageAsTheBootProtocolSays)
{
    const ElfBuilder elf;
    boot.kernel = folder.write("vmlinuz", KernelBuilder { .payload = packXz(elf.build()) }.build());
    memory->fill(elf.dataAddress, 20000, 0xee); // bss must not keep this
    const auto state = loadLinux(*memory, boot);
    ASSERT_TRUE(state) << state.error().message;

    EXPECT_EQ(state->eip, elf.entry);
    EXPECT_EQ(state->gpr[Esi], linuxboot::bootParams);
    EXPECT_EQ(state->gpr[Ebp] | state->gpr[Edi] | state->gpr[Ebx], 0u);
    EXPECT_EQ(state->eflags & eflags::interruptEnable, 0u);
    EXPECT_EQ(state->cr0 & (cr0::protectionEnable | cr0::paging), cr0::protectionEnable);
    EXPECT_EQ(state->segments[Cs].selector, 0x10);
    for (const SegmentIndex segment : { Ds, Es, Ss })
        EXPECT_EQ(state->segments[segment].selector, 0x18);
    for (const SegmentState& segment : state->segments) {
        EXPECT_EQ(segment.base, 0u);
        EXPECT_EQ(segment.limit, 0xffffffffu);
    }
    EXPECT_EQ(read(elf.textAddress, elf.text.size()), elf.text);
    EXPECT_EQ(read(elf.dataAddress, elf.data.size()), elf.data);
    EXPECT_EQ(read(elf.dataAddress + elf.data.size(), elf.bssSize), Bytes(elf.bssSize, 0));
}

TEST_F(LinuxBootTest, GivesADescriptorTableThatAgreesWithTheSegments)
{
    const auto state = loadLinux(*memory, boot);
    ASSERT_TRUE(state);
    const Bytes table = read(state->gdtr.base, state->gdtr.limit + 1u);
    ASSERT_EQ(table.size(), 32u);
    EXPECT_EQ(littleEndianAt<uint64_t>(table, 0x10), 0x00cf9b000000ffffu);
    EXPECT_EQ(littleEndianAt<uint64_t>(table, 0x18), 0x00cf93000000ffffu);
}

TEST_F(LinuxBootTest, LeavesThePackedKernelToUnpackItself)
{
    const Bytes file = KernelBuilder().build();
    boot.unpack = false;
    const auto state = loadLinux(*memory, boot);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->eip, 0x100000u);
    const Bytes expected(file.begin() + KernelBuilder::setupSize, file.end());
    EXPECT_EQ(read(0x100000, expected.size()), expected);
}

TEST_F(LinuxBootTest, CopiesTheSetupHeaderAndTheCommandLine)
{
    ASSERT_TRUE(loadLinux(*memory, boot));
    EXPECT_EQ(param<uint32_t>(bootparams::headerMagic), 0x53726448u);
    EXPECT_EQ(param<uint8_t>(bootparams::typeOfLoader), 0xff);
    EXPECT_EQ(param<uint8_t>(bootparams::sentinel), 0);
    const uint32_t line = param<uint32_t>(bootparams::commandLinePointer);
    EXPECT_EQ(read(line, 14), Bytes({ 'c', 'o', 'n', 's', 'o', 'l', 'e', '=', 't', 't', 'y', 'S', '0', 0 }));
}

TEST_F(LinuxBootTest, PutsTheInitrdAtTheTopOfMemory)
{
    const Bytes initrd = ElfBuilder::patterned(10'000, 11);
    boot.initrd = folder.write("initrd", initrd);
    ASSERT_TRUE(loadLinux(*memory, boot));
    const uint32_t address = param<uint32_t>(bootparams::ramdiskImage);
    EXPECT_EQ(param<uint32_t>(bootparams::ramdiskSize), initrd.size());
    EXPECT_EQ(address, ramSize - 3 * GuestMemory::pageSize);
    EXPECT_EQ(read(address, initrd.size()), initrd);
}

TEST_F(LinuxBootTest, KeepsTheInitrdBelowTheKernelsLimit)
{
    boot.kernel = folder.write("vmlinuz", KernelBuilder { .initrdAddressMax = 0x17fffff }.build());
    boot.initrd = folder.write("initrd", Bytes(5000, 1));
    ASSERT_TRUE(loadLinux(*memory, boot));
    EXPECT_EQ(param<uint32_t>(bootparams::ramdiskImage), 0x1800000u - 2 * GuestMemory::pageSize);
}

TEST_F(LinuxBootTest, DescribesMemoryWithoutHolesAndReservesTheFirmwares)
{
    ASSERT_TRUE(loadLinux(*memory, boot));
    const unsigned entries = param<uint8_t>(bootparams::e820Entries);
    ASSERT_EQ(entries, 4u);
    uint64_t usable = 0;
    uint64_t end = 0;
    for (unsigned i = 0; i < entries; ++i) {
        const uint32_t entry = bootparams::e820Table + i * bootparams::e820EntrySize;
        const uint64_t base = param<uint64_t>(entry);
        EXPECT_GE(base, end);
        end = base + param<uint64_t>(entry + 8);
        if (param<uint32_t>(entry + 16) == 1)
            usable += end - base;
    }
    EXPECT_EQ(end, ramSize);
    EXPECT_EQ(usable, ramSize - 0x100000 + 0x9fc00);
    EXPECT_EQ(param<uint32_t>(bootparams::alternativeMemoryKib), (ramSize >> 10) - 1024);
}

TEST_F(LinuxBootTest, DescribesTheTextScreen)
{
    ASSERT_TRUE(loadLinux(*memory, boot));
    EXPECT_EQ(param<uint8_t>(bootparams::originalVideoMode), 3);
    EXPECT_EQ(param<uint8_t>(bootparams::originalVideoColumns), 80);
    EXPECT_EQ(param<uint8_t>(bootparams::originalVideoLines), 25);
    EXPECT_EQ(param<uint8_t>(bootparams::originalVideoIsVga), 1);
    EXPECT_NE(param<uint8_t>(bootparams::originalVideoEgaBx), 0x10);
}

TEST_F(LinuxBootTest, DescribesALinearFrameBuffer)
{
    boot.frameBuffer = LinearScreenInfo { 0xe0000000, 1024 * 4 * 768, 1024, 768, 4096 };
    boot.acpiRsdp = 0xf0010;
    ASSERT_TRUE(loadLinux(*memory, boot));
    EXPECT_EQ(param<uint8_t>(bootparams::originalVideoIsVga), 0x23);
    EXPECT_EQ(param<uint16_t>(bootparams::frameBufferWidth), 1024);
    EXPECT_EQ(param<uint16_t>(bootparams::frameBufferHeight), 768);
    EXPECT_EQ(param<uint16_t>(bootparams::frameBufferDepth), 32);
    EXPECT_EQ(param<uint32_t>(bootparams::frameBufferBase), 0xe0000000u);
    EXPECT_EQ(param<uint32_t>(bootparams::frameBufferSize), 48u);
    EXPECT_EQ(param<uint16_t>(bootparams::frameBufferLineLength), 4096);
    EXPECT_EQ(param<uint64_t>(bootparams::frameBufferColours), 0x1808000808081008u);
    EXPECT_EQ(param<uint64_t>(bootparams::acpiRsdpAddress), 0xf0010u);
}

TEST_F(LinuxBootTest, SaysWhatIsWrongWithAFile)
{
    boot.kernel = folder.path("missing");
    refusedBecause(boot.kernel, "No such file");
    boot.kernel = folder.path("");
    refusedBecause(boot.kernel, "not a file");
    boot.kernel = folder.write("empty", Bytes {});
    refusedBecause(boot.kernel, "empty");
    boot.kernel = folder.write("text", Bytes(5000, 'x'));
    refusedBecause(boot.kernel, "not a Linux kernel");
    boot.kernel = folder.write("old", KernelBuilder { .protocol = 0x0204 }.build());
    refusedBecause(boot.kernel, "2.04");
    boot.kernel = folder.write("k64", KernelBuilder { .extendedLoadFlags = 1 }.build());
    refusedBecause(boot.kernel, "64-bit");
}

TEST_F(LinuxBootTest, SaysWhatIsWrongWithTheInitrdAndTheCommandLine)
{
    boot.initrd = folder.path("missing");
    refusedBecause(boot.initrd, "No such file");
    boot.initrd.clear();
    boot.append = std::string(2047, 'a');
    EXPECT_TRUE(loadLinux(*memory, boot));
    boot.append += 'a';
    refusedBecause(boot.kernel, "2047");
    boot.kernel = folder.write("boasting", KernelBuilder { .commandLineSize = 0xffffffff }.build());
    boot.append = std::string(1 << 20, 'a');
    refusedBecause(boot.kernel, "Shorten");
}

TEST_F(LinuxBootTest, RefusesWhatDoesNotFitIntoMemory)
{
    boot.kernel = folder.write("large", KernelBuilder { .initSize = 17 << 20 }.build());
    refusedBecause(boot.kernel, "more memory");
    boot.unpack = false;
    refusedBecause(boot.kernel, "more memory");

    boot.kernel = folder.write("vmlinuz", KernelBuilder { .initSize = 15 << 20 }.build());
    boot.initrd = folder.write("initrd", Bytes((1 << 20) + 1, 1));
    refusedBecause(boot.initrd, "more memory");
    boot.initrd = folder.write("initrd", Bytes(1 << 20, 1));
    EXPECT_TRUE(loadLinux(*memory, boot));

    memory = std::move(*GuestMemory::create(GuestMemory::smallest));
    EXPECT_FALSE(loadLinux(*memory, boot));
}

TEST_F(LinuxBootTest, RefusesEveryTruncationOfTheKernel)
{
    const Bytes file = KernelBuilder { .payload = packXz(ElfBuilder().build()) }.build();
    for (const bool unpack : { true, false }) {
        boot.unpack = unpack;
        for (size_t size = 0; size + 16 < file.size(); size += 61) {
            boot.kernel = folder.write("vmlinuz", Bytes(file.begin(), file.begin() + static_cast<long>(size)));
            EXPECT_NE(refusal(boot.kernel), "it loads") << size;
        }
    }
}

TEST_F(LinuxBootTest, SurvivesRandomDamageToTheHeaders)
{
    const Bytes good = KernelBuilder().build();
    std::mt19937 random(3);
    int refused = 0;
    for (int round = 0; round < 1000; ++round) {
        Bytes file = good;
        const size_t elf = KernelBuilder::setupSize + KernelBuilder::codeSize;
        for (int i = 0; i < 2; ++i) {
            file[0x1f1 + random() % 0xa0] = static_cast<uint8_t>(random());
            file[elf + random() % 120] = static_cast<uint8_t>(random());
        }
        boot.kernel = folder.write("vmlinuz", file);
        boot.unpack = random() % 2;
        const auto state = loadLinux(*memory, boot);
        refused += !state;
        if (!state) {
            EXPECT_NE(state.error().message.find(boot.kernel), std::string::npos) << state.error().message;
        }
    }
    EXPECT_GT(refused, 0);
    EXPECT_LT(refused, 1000);
}

} // namespace namsan
