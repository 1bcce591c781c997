// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/rom_boot.h"

#include "vmm/firmware/boot_file.h"
#include "vmm/firmware/memory_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <vector>

namespace namsan {

namespace {

constexpr uint64_t largestCopy = 128 << 10;

Result<std::vector<uint8_t>> readRom(const std::string& path)
{
    const auto wrongSize = [&](uint64_t size) {
        return Error { fmt::format("The ROM {} has {} bytes, and a ROM has 64 KiB to 16 MiB in whole 64 KiB. Pad the "
                                   "file at its beginning.",
            path, size) };
    };
    // Asked first, since readBootFile() would speak of the machine's memory.
    std::error_code unknown;
    if (const uint64_t size = std::filesystem::file_size(path, unknown); !unknown && size > largestRom)
        return wrongSize(size);
    auto image = readBootFile("ROM", path, largestRom);
    if (image && image->size() % smallestRom != 0)
        return wrongSize(image->size());
    return image;
}

const GuestMemory::Region* findRom(const GuestMemory& memory)
{
    const auto found = std::ranges::find_if(memory.regions(),
        [](const GuestMemory::Region& region) { return region.base + region.size == GuestMemory::addressSpace; });
    return found == memory.regions().end() ? nullptr : &*found;
}

} // namespace

Result<void> plugInRom(GuestMemory& memory, const std::string& path)
{
    const auto image = readRom(path);
    if (!image)
        return image.error();
    const auto region = memory.addReadOnlyRegion(GuestMemory::addressSpace - image->size(), image->size());
    if (!region)
        return region.error();
    return {};
}

Result<CpuState> loadRom(GuestMemory& memory, const std::string& path, const CpuModel& model)
{
    const auto image = readRom(path);
    if (!image)
        return image.error();
    const GuestMemory::Region* rom = findRom(memory);
    if (!rom || rom->size != image->size())
        return Error { fmt::format("The ROM {} has another size than when the machine was made. Start the machine "
                                   "anew.",
            path) };
    memory.write(rom->base, *image);
    const std::span<const uint8_t> copy = std::span(*image).last(std::min(image->size(), largestCopy));
    memory.write(memorymap::highMemory - copy.size(), copy);
    return CpuState::afterReset(model);
}

} // namespace namsan
