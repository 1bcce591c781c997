// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/multiboot.h"

#include "tests/support/test_guests.h"
#include "tests/vmm/firmware/kernel_builder.h"

#include <gtest/gtest.h>

namespace namsan {

using testguest::MultibootKernel;
namespace info = multiboot::info;

class MultibootTest : public ::testing::Test {
protected:
    static constexpr uint64_t ramSize = 4 << 20;

    TemporaryFolder folder;
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(ramSize));
    MultibootBoot boot;

    void kernelIs(const MultibootKernel& kernel) { boot.kernel = folder.write("kernel", kernel.build()); }
    Bytes read(PhysicalAddress address, size_t size)
    {
        Bytes bytes(size);
        memory->read(address, bytes);
        return bytes;
    }
    template <class T> T at(PhysicalAddress address) { return littleEndianAt<T>(read(address, sizeof(T)), 0); }
    std::string textAt(PhysicalAddress address)
    {
        std::string text;
        for (uint8_t c; (c = at<uint8_t>(address++)) != 0;)
            text += static_cast<char>(c);
        return text;
    }
    CpuState load()
    {
        const auto state = loadMultiboot(*memory, boot);
        EXPECT_TRUE(state) << state.error().message;
        return state ? *state : CpuState {};
    }
    void refusedBecause(std::string_view reason)
    {
        const auto state = loadMultiboot(*memory, boot);
        ASSERT_FALSE(state);
        EXPECT_NE(state.error().message.find(reason), std::string::npos) << state.error().message;
    }
};

TEST_F(MultibootTest, EntersAsTheSpecificationSays)
{
    const MultibootKernel kernel { .filler = 0x40 };
    kernelIs(kernel);
    const CpuState state = load();
    EXPECT_EQ(state.eip, kernel.entry());
    EXPECT_EQ(state.gpr[Eax], 0x2badb002u);
    EXPECT_NE(state.gpr[Ebx], 0u);
    EXPECT_EQ(state.cr0 & (cr0::protectionEnable | cr0::paging), cr0::protectionEnable);
    EXPECT_EQ(state.eflags & (eflags::interruptEnable | eflags::virtual8086), 0u);
    for (const SegmentState& segment : state.segments) {
        EXPECT_EQ(segment.base, 0u);
        EXPECT_EQ(segment.limit, 0xffffffffu);
    }
    EXPECT_EQ(state.segments[Cs].accessRights & 0x4018u, 0x4018u); // 32 bits, code
    EXPECT_EQ(state.segments[Ss].accessRights & 0x401au, 0x4012u); // 32 bits, writable data
    EXPECT_EQ(read(0x100000, kernel.build().size()), kernel.build());
}

TEST_F(MultibootTest, TellsOfMemoryScreenCommandLineAndItself)
{
    kernelIs({});
    boot.append = "a=1 b";
    const uint32_t base = load().gpr[Ebx];
    EXPECT_EQ(at<uint32_t>(base + info::flags), 0x124du);
    EXPECT_EQ(at<uint32_t>(base + info::memoryLower), 639u);
    EXPECT_EQ(at<uint32_t>(base + info::memoryUpper), 3072u);
    EXPECT_EQ(textAt(at<uint32_t>(base + info::commandLine)), "a=1 b");
    EXPECT_EQ(textAt(at<uint32_t>(base + info::loaderName)), "Namsan");
    EXPECT_EQ(at<uint32_t>(base + info::moduleCount), 0u);
    EXPECT_EQ(at<uint64_t>(base + info::frameBufferAddress), 0xb8000u);
    EXPECT_EQ(at<uint32_t>(base + info::frameBufferWidth), 80u);
    EXPECT_EQ(at<uint8_t>(base + info::frameBufferType), info::egaText);

    const uint32_t map = at<uint32_t>(base + info::memoryMap);
    const uint32_t end = map + at<uint32_t>(base + info::memoryMapSize);
    uint64_t usable = 0, before = 0;
    uint32_t entry = map;
    for (; entry < end; entry += at<uint32_t>(entry) + 4) {
        EXPECT_GE(at<uint64_t>(entry + 4), before);
        before = at<uint64_t>(entry + 4) + at<uint64_t>(entry + 12);
        if (at<uint32_t>(entry + 20) == 1)
            usable += at<uint64_t>(entry + 12);
    }
    EXPECT_EQ(entry, end);
    EXPECT_EQ(usable, ramSize - 0x100000 + 0x9fc00);
    EXPECT_EQ(before, ramSize);
}

TEST_F(MultibootTest, TellsOfTheFrameBuffer)
{
    kernelIs(
        { .flags = multiboot::header::addressFields | multiboot::header::videoMode, .width = 1024, .height = 768 });
    boot.frameBuffer = LinearScreenInfo { 0xe0000000, 800 * 600 * 4, 800, 600, 3200 };
    const uint32_t base = load().gpr[Ebx];
    EXPECT_EQ(at<uint64_t>(base + info::frameBufferAddress), 0xe0000000u);
    EXPECT_EQ(at<uint32_t>(base + info::frameBufferPitch), 3200u);
    EXPECT_EQ(at<uint32_t>(base + info::frameBufferWidth), 800u);
    EXPECT_EQ(at<uint32_t>(base + info::frameBufferHeight), 600u);
    EXPECT_EQ(at<uint8_t>(base + info::frameBufferDepth), 32u);
    EXPECT_EQ(at<uint8_t>(base + info::frameBufferType), info::directColour);
    EXPECT_EQ(read(base + info::frameBufferColours, 6), (Bytes { 16, 8, 8, 8, 0, 8 }));
}

TEST_F(MultibootTest, RefusesAScreenThatTheMachineDoesNotHave)
{
    constexpr uint32_t flags = multiboot::header::addressFields | multiboot::header::videoMode;
    kernelIs({ .flags = flags, .width = 640, .height = 480 });
    refusedBecause(
        boot.kernel + " asks for a graphics screen, and the machine has a text screen. Use --screen 640x480.");
    kernelIs({ .flags = flags });
    refusedBecause("Use --screen 1024x768.");
    kernelIs({ .flags = flags, .modeType = 1 });
    load();
    boot.frameBuffer = LinearScreenInfo { 0xe0000000, 800 * 600 * 4, 800, 600, 3200 };
    refusedBecause("Use --screen text.");
}

TEST_F(MultibootTest, LoadsModulesOnPagesBehindTheKernel)
{
    const MultibootKernel kernel { .bssEnd = 0x101234 };
    kernelIs(kernel);
    memory->fill(0x100000, 0x3000, 0xee); // bss must not keep this
    const Bytes first = ElfBuilder::patterned(5000, 3), second = ElfBuilder::patterned(10, 7);
    boot.modules = { folder.write("first", first) + " x=1  y", folder.write("second", second) };
    const uint32_t base = load().gpr[Ebx];
    EXPECT_EQ(read(0x100000 + kernel.build().size(), 4), Bytes(4, 0));
    EXPECT_EQ(at<uint8_t>(0x101233), 0);
    EXPECT_EQ(at<uint8_t>(0x101234), 0xee);

    ASSERT_EQ(at<uint32_t>(base + info::moduleCount), 2u);
    const uint32_t table = at<uint32_t>(base + info::moduleTable);
    EXPECT_EQ(at<uint32_t>(table), 0x102000u);
    EXPECT_EQ(at<uint32_t>(table + 4), 0x102000u + 5000);
    EXPECT_EQ(textAt(at<uint32_t>(table + 8)), "x=1  y");
    EXPECT_EQ(at<uint32_t>(table + 12), 0u);
    EXPECT_EQ(at<uint32_t>(table + 16), 0x104000u);
    EXPECT_EQ(textAt(at<uint32_t>(table + 24)), "");
    EXPECT_EQ(read(0x102000, first.size()), first);
    EXPECT_EQ(read(0x104000, second.size()), second);
}

TEST_F(MultibootTest, FindsModulesWhosePathsHoldSpaces)
{
    kernelIs({});
    const std::string spaced = folder.write("a folder/a file", Bytes(3, 5)), plain = folder.write("plain", Bytes(4, 5));
    boot.modules = { spaced, spaced + " its text", plain + " its text" };
    const uint32_t base = load().gpr[Ebx];
    const uint32_t table = at<uint32_t>(base + info::moduleTable);
    EXPECT_EQ(at<uint32_t>(table + 4) - at<uint32_t>(table), 3u);
    EXPECT_EQ(textAt(at<uint32_t>(table + 8)), "");
    EXPECT_EQ(textAt(at<uint32_t>(table + 24)), "its text");
    EXPECT_EQ(at<uint32_t>(table + 36) - at<uint32_t>(table + 32), 4u);
    EXPECT_EQ(textAt(at<uint32_t>(table + 40)), "its text");
}

TEST_F(MultibootTest, KeepsOutOfAKernelInBaseMemory)
{
    kernelIs({ .loadAddress = 0x8000, .bssEnd = 0x20003 });
    EXPECT_EQ(load().gpr[Ebx], 0x20010u);
    kernelIs({ .loadAddress = 0x8000, .bssEnd = 0x9fc00 });
    boot.modules = { folder.write("module", Bytes(100, 1)) };
    EXPECT_EQ(load().gpr[Ebx], 0x100070u);
    boot.modules.clear();
    memory = std::move(*GuestMemory::create(GuestMemory::smallest));
    refusedBecause("leave no room for what the loader tells the kernel");
    kernelIs({ .loadAddress = 0x8000 });
    const uint32_t base = load().gpr[Ebx];
    EXPECT_EQ(at<uint32_t>(base + info::memoryUpper), 0u);
}

TEST_F(MultibootTest, RefusesAKernelThatHasNoPlace)
{
    kernelIs({ .loadAddress = 0x9fb00, .bssEnd = 0x9fc01 });
    refusedBecause("wants to lie at 9fb00h to 9fc00h, and a PC has no free memory from 9fc00h to 1 MiB");
    kernelIs({ .loadAddress = 0xe0000 });
    refusedBecause("no free memory");
    kernelIs({ .bssEnd = 0x400001 });
    refusedBecause(
        "up to 400000h, and the machine's 4096 KiB of memory end before that. Give the machine more memory.");
    kernelIs({ .bssEnd = 0xffffffff });
    refusedBecause("Give the machine more memory.");
    kernelIs({ .bssEnd = 0x400000 });
    load();
    boot.modules = { folder.write("module", Bytes(1, 1)) };
    refusedBecause("The module " + folder.path("module") + " has 0 KiB, and the machine's memory has room for 0 KiB");
}

TEST_F(MultibootTest, NamesTheFileThatDoesNotDo)
{
    boot.kernel = folder.path("none");
    refusedBecause("The Multiboot kernel " + boot.kernel + " cannot be read: No such file or directory.");
    boot.kernel = folder.write("text", std::string_view("Not a kernel."));
    refusedBecause("The Multiboot kernel " + boot.kernel + " has no Multiboot header");
    kernelIs({ .checksumError = 7 });
    refusedBecause("The Multiboot kernel " + boot.kernel + " has a Multiboot header whose checksum is wrong");
    kernelIs({});
    boot.modules = { folder.path("absent") + " text" };
    refusedBecause("The module " + folder.path("absent") + " cannot be read: No such file or directory.");
    boot.modules = { folder.write("empty", std::string_view()) };
    refusedBecause("The module " + folder.path("empty") + " is empty");
    boot.modules = { folder.write("large", Bytes(3 << 20)) };
    refusedBecause(
        "The module " + folder.path("large") + " has 3072 KiB, and the machine's memory has room for 3068 KiB");
}

TEST_F(MultibootTest, EntersAKernelThatIsLinkedElsewhereAtItsPhysicalAddress)
{
    ElfBuilder builder { .textAddress = 0x100000, .entry = 0xc0100123, .dataAddress = 0x110000 };
    std::span<uint8_t> text(builder.text);
    putLittleEndian(text, 0, multiboot::headerMagic);
    putLittleEndian<uint32_t>(text, 4, 0);
    putLittleEndian(text, 8, 0 - multiboot::headerMagic);
    Bytes file = builder.build();
    constexpr size_t firstVirtualAddress = 52 + 8; // p_vaddr of the first program header
    putLittleEndian<uint32_t>(std::span(file), firstVirtualAddress, 0xc0100000);
    boot.kernel = folder.write("kernel", file);
    EXPECT_EQ(load().eip, 0x100123u);
}

} // namespace namsan
