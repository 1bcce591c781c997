// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/multiboot.h"

#include "vmm/base/bits.h"
#include "vmm/firmware/boot_file.h"
#include "vmm/firmware/memory_map.h"
#include "vmm/firmware/multiboot_format.h"
#include "vmm/firmware/multiboot_image.h"
#include "vmm/firmware/multiboot_information.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace namsan {

namespace {

using memorymap::endOfBaseMemory;
using memorymap::highMemory;

Error aboutKernel(const MultibootBoot& boot, std::string_view rest)
{
    return { fmt::format("The Multiboot kernel {} {}", boot.kernel, rest) };
}

// A kernel that asks for a screen is told of the machine's, which is what its configuration says.
Result<void> checkScreen(const MultibootBoot& boot, const std::optional<MultibootVideo>& wanted)
{
    if (!wanted || wanted->text == !boot.frameBuffer)
        return {};
    if (wanted->text)
        return aboutKernel(boot, "asks for a text screen, and the machine has a frame buffer. Use --screen text.");
    const bool anySize = wanted->width == 0 || wanted->height == 0;
    return aboutKernel(boot,
        fmt::format("asks for a graphics screen, and the machine has a text screen. Use --screen {}.",
            anySize ? "1024x768" : fmt::format("{}x{}", wanted->width, wanted->height)));
}

Result<void> placeKernel(GuestMemory& memory, const MultibootBoot& boot, const MultibootImage& image)
{
    for (const ElfSegment& segment : image.segments) {
        if (segment.end() > memory.ramSize())
            return aboutKernel(boot,
                fmt::format("wants to lie at addresses up to {:x}h, and the machine's {} KiB of memory end before "
                            "that. Give the machine more memory.",
                    segment.end() - 1, memory.ramSize() >> 10));
        if (segment.end() > endOfBaseMemory && segment.address < highMemory)
            return aboutKernel(boot,
                fmt::format("wants to lie at {:x}h to {:x}h, and a PC has no free memory from {:x}h to 1 MiB. Link it "
                            "to another address, such as 1 MiB.",
                    segment.address, segment.end() - 1, endOfBaseMemory));
    }
    for (const ElfSegment& segment : image.segments) {
        memory.write(segment.address, segment.bytes);
        memory.fill(segment.address + segment.bytes.size(), segment.zeroes, 0);
    }
    return {};
}

struct ModuleName {
    std::string path;
    std::string text;
};

// Paths may hold spaces, too: the shortest beginning that is a file is the path.
ModuleName splitModule(const std::string& module)
{
    const auto splitAt = [&](size_t space) {
        return ModuleName { module.substr(0, space), module.substr(std::min(space + 1, module.size())) };
    };
    const size_t first = std::min(module.find(' '), module.size());
    for (size_t space = first; space < module.size(); space = std::min(module.find(' ', space + 1), module.size())) {
        std::error_code unknown;
        if (std::filesystem::is_regular_file(module.substr(0, space), unknown))
            return splitAt(space);
    }
    std::error_code unknown;
    return splitAt(std::filesystem::is_regular_file(module, unknown) ? module.size() : first);
}

// From there on the modules lie; gives back the end of the last.
Result<uint64_t> placeModules(
    GuestMemory& memory, const MultibootBoot& boot, uint64_t first, std::vector<LoadedModule>& loaded)
{
    uint64_t next = first;
    for (const std::string& module : boot.modules) {
        const auto [path, text] = splitModule(module);
        const uint64_t begin = alignUp(next, GuestMemory::pageSize);
        const auto bytes = readBootFile("module", path, memory.ramSize() - std::min(begin, memory.ramSize()));
        if (!bytes)
            return bytes.error();
        memory.write(begin, *bytes);
        next = begin + bytes->size();
        loaded.push_back({ static_cast<uint32_t>(begin), static_cast<uint32_t>(next), text });
    }
    return next;
}

// The lowest place in base memory that the kernel leaves free, above what small kernels like to use themselves.
std::optional<uint32_t> placeInBaseMemory(const MultibootImage& image, uint64_t size)
{
    constexpr uint64_t lowest = 0x10000;
    std::vector<ElfSegment> segments = image.segments;
    std::sort(segments.begin(), segments.end(),
        [](const ElfSegment& a, const ElfSegment& b) { return a.address < b.address; });
    uint64_t address = lowest;
    for (const ElfSegment& segment : segments) {
        if (segment.address < address + size && segment.end() > address)
            address = alignUp(segment.end(), 16);
    }
    if (address + size > endOfBaseMemory)
        return std::nullopt;
    return static_cast<uint32_t>(address);
}

// Multiboot Specification 0.6.96, 3.2 ("Machine state"). GDTR and IDTR, which it leaves open, hold nothing that a
// kernel could rely on by mistake.
CpuState stateAtEntry(uint32_t entry, uint32_t information)
{
    constexpr uint16_t codeSelector = 0x10;
    constexpr uint16_t dataSelector = 0x18;
    constexpr uint32_t codeRights = 0xc09b; // present, code, readable, accessed; 32-bit, limit in pages
    constexpr uint32_t dataRights = 0xc093; // present, data, writable, accessed
    CpuState state = CpuState::afterReset();
    state.cr0 = cr0::protectionEnable | cr0::extensionType;
    state.gdtr = {};
    state.idtr = {};
    state.segments.fill({ dataSelector, dataRights, 0, 0xffffffff });
    state.segments[Cs] = { codeSelector, codeRights, 0, 0xffffffff };
    state.gpr.fill(0);
    state.gpr[Eax] = multiboot::loaderMagic;
    state.gpr[Ebx] = information;
    state.eip = entry;
    return state;
}

} // namespace

Result<CpuState> loadMultiboot(GuestMemory& memory, const MultibootBoot& boot)
{
    // A file may be larger than the memory: symbols stay in it.
    const auto file = readBootFile("Multiboot kernel", boot.kernel, GuestMemory::largest);
    if (!file)
        return file.error();
    const auto image = MultibootImage::parse(*file);
    if (!image)
        return aboutKernel(boot, image.error().message);
    if (const auto fits = checkScreen(boot, image->video); !fits)
        return fits.error();
    if (boot.append.find('\0') != std::string::npos)
        return Error { "The kernel command line holds a zero byte. Remove it (--append)." };
    if (const auto placed = placeKernel(memory, boot, *image); !placed)
        return placed.error();

    MultibootInformation information { memory.ramSize(), boot.append, {}, boot.frameBuffer };
    const auto endOfModules = placeModules(memory, boot, std::max(image->end(), highMemory), information.modules);
    if (!endOfModules)
        return endOfModules.error();
    uint32_t address = 0;
    if (const auto low = placeInBaseMemory(*image, information.size())) {
        address = *low;
    } else if (const uint64_t high = alignUp(*endOfModules, 16); high + information.size() <= memory.ramSize()) {
        address = static_cast<uint32_t>(high);
    } else {
        return aboutKernel(boot,
            "and its modules leave no room for what the loader tells the kernel. Give the machine "
            "more memory.");
    }
    memory.write(address, information.at(address));
    return stateAtEntry(image->entry, address);
}

} // namespace namsan
