// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/elf_image.h"

#include "vmm/firmware/little_endian.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace namsan {

namespace {

constexpr uint64_t addressSpace = uint64_t { 1 } << 32;

Error truncated()
{
    return { "is damaged or truncated: its ELF image reaches beyond the end of the file. Fetch it again." };
}
Error nonsense()
{
    return { "is damaged: its ELF image makes no sense. Fetch it again." };
}

Result<Elf32_Ehdr> parseHeader(std::span<const uint8_t> file)
{
    if (file.size() < EI_NIDENT || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0)
        return Error { "holds no ELF image. Use the kernel of a 32-bit (i386) Linux." };
    if (file[EI_CLASS] == ELFCLASS64)
        return Error { "is for a 64-bit processor, and the machine's is a 32-bit one. Use a 32-bit (i386) kernel." };
    if (file.size() < sizeof(Elf32_Ehdr))
        return truncated();
    Elf32_Ehdr header;
    std::memcpy(&header, file.data(), sizeof header);
    if (file[EI_CLASS] != ELFCLASS32 || file[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_386)
        return Error { "is for another kind of processor. Use a 32-bit (i386) kernel." };
    if (header.e_phentsize != sizeof(Elf32_Phdr))
        return nonsense();
    return header;
}

Result<ElfSegment> parseSegment(std::span<const uint8_t> file, const Elf32_Phdr& header)
{
    if (header.p_filesz > header.p_memsz || uint64_t { header.p_paddr } + header.p_memsz > addressSpace)
        return nonsense();
    if (uint64_t { header.p_offset } + header.p_filesz > file.size())
        return truncated();
    return ElfSegment { header.p_paddr, file.subspan(header.p_offset, header.p_filesz),
        header.p_memsz - header.p_filesz };
}

bool overlap(std::vector<ElfSegment> segments)
{
    std::sort(segments.begin(), segments.end(),
        [](const ElfSegment& a, const ElfSegment& b) { return a.address < b.address; });
    return std::adjacent_find(segments.begin(), segments.end(), [](const ElfSegment& a, const ElfSegment& b) {
        return a.end() > b.address;
    }) != segments.end();
}

} // namespace

Result<ElfImage> ElfImage::parse(std::span<const uint8_t> file)
{
    const auto header = parseHeader(file);
    if (!header)
        return header.error();
    if (uint64_t { header->e_phoff } + uint64_t { header->e_phnum } * sizeof(Elf32_Phdr) > file.size())
        return truncated();

    ElfImage image { header->e_entry, {} };
    std::optional<uint32_t> physicalEntry; // where e_entry as a virtual address lies
    for (unsigned i = 0; i < header->e_phnum; ++i) {
        Elf32_Phdr programHeader;
        std::memcpy(&programHeader, file.data() + header->e_phoff + i * sizeof programHeader, sizeof programHeader);
        if (programHeader.p_type != PT_LOAD || programHeader.p_memsz == 0)
            continue;
        auto segment = parseSegment(file, programHeader);
        if (!segment)
            return segment.error();
        image.segments.push_back(*segment);
        const uint32_t distance = header->e_entry - programHeader.p_vaddr;
        if (distance < programHeader.p_memsz)
            physicalEntry = programHeader.p_paddr + distance;
    }
    const auto entryInside = [&image] {
        return std::any_of(image.segments.begin(), image.segments.end(),
            [&](const ElfSegment& segment) { return image.entry >= segment.address && image.entry < segment.end(); });
    };
    // A kernel that is linked to run elsewhere than it is loaded names its entry either way.
    if (!entryInside() && physicalEntry)
        image.entry = *physicalEntry;
    // Segments on top of each other could also make loading take hours.
    if (!entryInside() || overlap(image.segments))
        return nonsense();
    return image;
}

uint32_t ElfImage::lowest() const
{
    return std::min_element(segments.begin(), segments.end(), [](const ElfSegment& a, const ElfSegment& b) {
        return a.address < b.address;
    })->address;
}

uint64_t ElfImage::end() const
{
    return std::max_element(segments.begin(), segments.end(), [](const ElfSegment& a, const ElfSegment& b) {
        return a.end() < b.end();
    })->end();
}

} // namespace namsan
