// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/multiboot_image.h"

#include "tests/support/test_guests.h"
#include "tests/vmm/firmware/kernel_builder.h"

#include <gtest/gtest.h>

#include <random>

namespace namsan {

using testguest::MultibootKernel;
namespace header = multiboot::header;

namespace {

std::string refusal(const Bytes& file)
{
    const auto image = MultibootImage::parse(file);
    return image ? "it is taken" : image.error().message;
}

bool refusedBecause(const Bytes& file, std::string_view reason)
{
    const std::string message = refusal(file);
    const bool found = message.find(reason) != std::string::npos;
    EXPECT_TRUE(found) << message;
    return found;
}

// An ELF file with a Multiboot header at the beginning of its text.
Bytes elfKernel(uint32_t flags, ElfBuilder builder = {})
{
    std::span<uint8_t> text(builder.text);
    putLittleEndian(text, 0, multiboot::headerMagic);
    putLittleEndian(text, 4, flags);
    putLittleEndian(text, 8, 0 - multiboot::headerMagic - flags);
    return builder.build();
}

} // namespace

TEST(MultibootImage, TakesTheWholeFileWhereTheAddressFieldsSayZero)
{
    const MultibootKernel kernel { .filler = 0x40 };
    const Bytes file = kernel.build();
    const auto image = MultibootImage::parse(file);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->entry, kernel.entry());
    ASSERT_EQ(image->segments.size(), 1u);
    EXPECT_EQ(image->segments[0].address, 0x100000u);
    EXPECT_EQ(image->segments[0].bytes.data(), file.data());
    EXPECT_EQ(image->segments[0].bytes.size(), file.size());
    EXPECT_EQ(image->segments[0].zeroes, 0u);
    EXPECT_EQ(image->end(), 0x100000 + file.size());
    EXPECT_FALSE(image->video);
}

TEST(MultibootImage, TakesWhatItsAddressFieldsSay)
{
    MultibootKernel kernel { .filler = 0x40, .loadEnd = 0x100100, .bssEnd = 0x102000 };
    kernel.code.resize(0x1000);
    Bytes file = kernel.build();
    // The first 16 bytes of the file are not loaded.
    putLittleEndian<uint32_t>(std::span(file), kernel.filler + header::loadAddress, 0x100010);
    const auto image = MultibootImage::parse(file);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->segments[0].address, 0x100010u);
    EXPECT_EQ(image->segments[0].bytes.data(), file.data() + 0x10);
    EXPECT_EQ(image->segments[0].bytes.size(), 0xf0u);
    EXPECT_EQ(image->segments[0].zeroes, 0x1f00u);
    EXPECT_EQ(image->end(), 0x102000u);
}

TEST(MultibootImage, TakesElf)
{
    const ElfBuilder builder;
    const Bytes file = elfKernel(header::alignModules | header::memoryInformation);
    const auto image = MultibootImage::parse(file);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->entry, builder.entry);
    ASSERT_EQ(image->segments.size(), 2u);
    EXPECT_EQ(image->segments[1].address, builder.dataAddress);
    EXPECT_EQ(image->segments[1].zeroes, builder.bssSize);
}

TEST(MultibootImage, FindsTheHeaderWhereverTheSpecificationLetsItBe)
{
    constexpr uint32_t last = multiboot::searchedBytes - header::sizeWithAddresses;
    EXPECT_TRUE(MultibootImage::parse(MultibootKernel { .filler = 4 }.build()));
    EXPECT_TRUE(MultibootImage::parse(MultibootKernel { .filler = last }.build()));
    refusedBecause(MultibootKernel { .filler = last + 4 }.build(), "behind its first 8192 bytes");
    refusedBecause(MultibootKernel { .filler = multiboot::searchedBytes }.build(), "no Multiboot header");
    refusedBecause(MultibootKernel { .filler = 2 }.build(), "no Multiboot header");
}

TEST(MultibootImage, PassesOverWhatOnlyLooksLikeAHeader)
{
    MultibootKernel kernel { .filler = 0x40 };
    Bytes file = kernel.build();
    putLittleEndian(std::span(file), 8, multiboot::headerMagic); // without a checksum
    const auto image = MultibootImage::parse(file);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->entry, kernel.entry());
}

TEST(MultibootImage, SaysWhyAHeaderDoesNotDo)
{
    EXPECT_EQ(refusal(MultibootKernel { .checksumError = 1 }.build()),
        "has a Multiboot header whose checksum is wrong; magic number, flags and checksum must add up to 0. Correct "
        "the header.");
    EXPECT_EQ(refusal(Bytes(100, 0x55)),
        "has no Multiboot header (1BADB002) in its first 8192 bytes. Name a Multiboot kernel, or give a Linux kernel "
        "with --kernel.");
    Bytes second(100);
    putLittleEndian(std::span(second), 0, multiboot::headerMagicOfVersion2);
    refusedBecause(second, "is for Multiboot 2");
    refusedBecause(MultibootKernel { .flags = header::addressFields | 0x0208 }.build(), "0208h of the flags");
    EXPECT_TRUE(MultibootImage::parse(MultibootKernel { .flags = 0xfffe0000 | header::addressFields }.build()));
    refusedBecause(MultibootKernel { .flags = 0 }.build(), "is no ELF file");
    refusedBecause(elfKernel(0x10), "0010h of the flags");
    refusedBecause({}, "no Multiboot header");
}

TEST(MultibootImage, SaysWhyAddressFieldsDoNotDo)
{
    const auto with = [](uint32_t field, uint32_t value) {
        Bytes file = MultibootKernel { .filler = 0x40 }.build();
        putLittleEndian(std::span(file), 0x40 + field, value);
        return file;
    };
    refusedBecause(with(header::loadAddress, 0x100041), "begins before the file or behind the header");
    refusedBecause(with(header::loadAddress, 0xfffff), "begins before the file or behind the header");
    refusedBecause(with(header::headerAddress, 0xffffffff), "begins before the file or behind the header");
    refusedBecause(with(header::loadEndAddress, 0x100000), "does not lie behind its beginning");
    refusedBecause(with(header::loadEndAddress, 0x200000), "is truncated");
    refusedBecause(with(header::bssEndAddress, 0x100010), "its bss ends before it begins");
    refusedBecause(with(header::entryAddress, 0xfffff), "the entry point lies outside");
    refusedBecause(with(header::entryAddress, 0x200000), "the entry point lies outside");
    refusedBecause(MultibootKernel { .loadAddress = 0xffffffc0 }.build(), "beyond 4 GiB");
}

TEST(MultibootImage, TellsWhatScreenIsWanted)
{
    const uint32_t flags = header::addressFields | header::videoMode;
    const auto graphics
        = MultibootImage::parse(MultibootKernel { .flags = flags, .width = 800, .height = 600 }.build());
    ASSERT_TRUE(graphics && graphics->video);
    EXPECT_FALSE(graphics->video->text);
    EXPECT_EQ(graphics->video->width, 800u);
    EXPECT_EQ(graphics->video->height, 600u);
    EXPECT_EQ(graphics->video->depth, 32u);
    const auto text = MultibootImage::parse(MultibootKernel { .flags = flags, .modeType = 1 }.build());
    ASSERT_TRUE(text && text->video);
    EXPECT_TRUE(text->video->text);
    refusedBecause(MultibootKernel { .flags = flags, .modeType = 2 }.build(), "a screen of kind 2");
}

TEST(MultibootImage, SurvivesEveryTruncationAndDamage)
{
    const Bytes whole = elfKernel(0);
    for (size_t size = 0; size < whole.size(); size += size < 300 ? 1 : 97)
        EXPECT_FALSE(MultibootImage::parse(std::span(whole).first(size))) << size;
    const Bytes flat = MultibootKernel { .loadEnd = 0x100036 }.build();
    for (size_t size = 0; size < flat.size(); ++size)
        EXPECT_FALSE(MultibootImage::parse(std::span(flat).first(size))) << size;

    std::minstd_rand random(5);
    unsigned taken = 0;
    for (unsigned round = 0; round < 20000; ++round) {
        Bytes file = flat;
        file[header::headerAddress + random() % 20] = static_cast<uint8_t>(random());
        const auto image = MultibootImage::parse(file);
        if (!image)
            continue;
        ++taken;
        const ElfSegment& segment = image->segments.at(0);
        EXPECT_GE(segment.bytes.data(), file.data());
        EXPECT_LE(segment.bytes.data() + segment.bytes.size(), file.data() + file.size());
        EXPECT_LE(segment.end(), uint64_t { 1 } << 32);
    }
    EXPECT_GT(taken, 0u);
}

} // namespace namsan
