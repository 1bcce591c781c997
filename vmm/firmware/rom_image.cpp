// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/rom_image.h"

#include "vmm/firmware/boot_file.h"

#include <fmt/format.h>

#include <filesystem>

namespace namsan {

Result<std::vector<uint8_t>> readRomImage(const std::string& path)
{
    const auto wrongSize = [&](uint64_t size) {
        return Error { fmt::format("The ROM {} has {} bytes, and a ROM has 64 KiB to 16 MiB in whole 64 KiB. Pad the "
                                   "file at its beginning.",
            path, size) };
    };
    // Asked first, since readBootFile() would speak of the machine's memory.
    std::error_code unknown;
    if (const uint64_t size = std::filesystem::file_size(path, unknown); !unknown && size > largestRomImage)
        return wrongSize(size);
    auto image = readBootFile("ROM", path, largestRomImage);
    if (image && (image->size() % smallestRomImage != 0))
        return wrongSize(image->size());
    return image;
}

} // namespace namsan
