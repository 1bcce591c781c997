// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/multiboot_image.h"

#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/multiboot_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <elf.h>

namespace namsan {

namespace {

namespace header = multiboot::header;

struct Header {
    uint32_t offset; // in the file
    uint32_t flags;
    std::span<const uint8_t> bytes;

    uint32_t field(uint32_t at) const { return littleEndianAt<uint32_t>(bytes, at); }
};

uint32_t sizeOfHeader(uint32_t flags)
{
    if (flags & header::videoMode)
        return header::sizeWithVideo;
    return flags & header::addressFields ? header::sizeWithAddresses : header::size;
}

Error noHeader(bool falseChecksum, bool version2)
{
    if (falseChecksum)
        return { "has a Multiboot header whose checksum is wrong; magic number, flags and checksum must add up to 0. "
                 "Correct the header." };
    if (version2)
        return { "is for Multiboot 2, and this loader is for version 1. Give the kernel a header of version 1." };
    return { "has no Multiboot header (1BADB002) in its first 8192 bytes. Name a Multiboot kernel, or give a Linux "
             "kernel with --kernel." };
}

Result<Header> findHeader(std::span<const uint8_t> file)
{
    const auto searched = file.first(std::min<size_t>(file.size(), multiboot::searchedBytes));
    bool falseChecksum = false;
    bool version2 = false;
    for (uint32_t offset = 0; offset + header::size <= searched.size(); offset += multiboot::headerAlignment) {
        const auto bytes = searched.subspan(offset);
        const auto magic = littleEndianAt<uint32_t>(bytes, header::magic);
        version2 = version2 || magic == multiboot::headerMagicOfVersion2;
        if (magic != multiboot::headerMagic)
            continue;
        const auto flags = littleEndianAt<uint32_t>(bytes, header::flags);
        if (magic + flags + littleEndianAt<uint32_t>(bytes, header::checksum) != 0) {
            falseChecksum = true;
            continue;
        }
        if (bytes.size() < sizeOfHeader(flags))
            return Error { "is truncated: it ends within its Multiboot header, or has that behind its first 8192 "
                           "bytes. Fetch or link it again." };
        return Header { offset, flags, bytes.first(sizeOfHeader(flags)) };
    }
    return noHeader(falseChecksum, version2);
}

Error nonsense(std::string_view why)
{
    return { fmt::format("has a Multiboot header that makes no sense: {}. Correct its address fields.", why) };
}

// Multiboot Specification 0.6.96, 3.1.3 ("The address fields of Multiboot header").
Result<MultibootImage> takeAddressFields(std::span<const uint8_t> file, const Header& found)
{
    const uint32_t headerAddress = found.field(header::headerAddress);
    const uint32_t load = found.field(header::loadAddress);
    const uint32_t loadEnd = found.field(header::loadEndAddress);
    const uint32_t bssEnd = found.field(header::bssEndAddress);
    if (load > headerAddress || headerAddress - load > found.offset)
        return nonsense("what it wants loaded begins before the file or behind the header");

    const uint32_t offset = found.offset - (headerAddress - load);
    auto bytes = file.subspan(offset);
    if (loadEnd != 0) {
        if (loadEnd <= load)
            return nonsense("the end of what is to be loaded does not lie behind its beginning");
        if (loadEnd - load > bytes.size())
            return Error { "is truncated: it ends before what its Multiboot header wants loaded. Fetch or link it "
                           "again." };
        bytes = bytes.first(loadEnd - load);
    }
    const uint64_t end = uint64_t { load } + bytes.size();
    if (end > UINT32_MAX)
        return nonsense("it wants to lie beyond 4 GiB");
    if (bssEnd != 0 && bssEnd < end)
        return nonsense("its bss ends before it begins");

    const uint32_t zeroes = bssEnd != 0 ? bssEnd - static_cast<uint32_t>(end) : 0;
    const uint32_t entry = found.field(header::entryAddress);
    if (entry < load || entry >= end + zeroes)
        return nonsense("the entry point lies outside of the kernel");
    return MultibootImage { entry, { { load, bytes, zeroes } }, {} };
}

Result<MultibootImage> takeElf(std::span<const uint8_t> file)
{
    if (file.size() < SELFMAG || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0)
        return Error { "is no ELF file, and its Multiboot header has no address fields (flag 16). Link it as ELF, or "
                       "fill in the fields." };
    auto elf = ElfImage::parse(file);
    if (!elf)
        return elf.error();
    return MultibootImage { elf->entry, std::move(elf->segments), {} };
}

} // namespace

uint64_t MultibootImage::end() const
{
    return std::max_element(segments.begin(), segments.end(), [](const ElfSegment& a, const ElfSegment& b) {
        return a.end() < b.end();
    })->end();
}

Result<MultibootImage> MultibootImage::parse(std::span<const uint8_t> file)
{
    const auto found = findHeader(file);
    if (!found)
        return found.error();
    constexpr uint32_t understood = header::alignModules | header::memoryInformation | header::videoMode;
    if (const uint32_t strange = found->flags & header::mustBeUnderstood & ~understood)
        return Error { fmt::format("asks for what this loader does not know: {:04x}h of the flags in its Multiboot "
                                   "header. Version 0.6.96 of the specification has the flags 0, 1, 2 and 16.",
            strange) };

    auto image = found->flags & header::addressFields ? takeAddressFields(file, *found) : takeElf(file);
    if (image && (found->flags & header::videoMode)) {
        const uint32_t mode = found->field(header::modeType);
        if (mode != header::linearGraphics && mode != header::text)
            return Error { fmt::format("asks for a screen of kind {}, and there are 0 (graphics) and 1 (text). Correct "
                                       "its Multiboot header.",
                mode) };
        image->video = MultibootVideo { mode == header::text, found->field(header::width), found->field(header::height),
            found->field(header::depth) };
    }
    return image;
}

} // namespace namsan
