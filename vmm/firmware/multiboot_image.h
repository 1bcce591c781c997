// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/firmware/elf_image.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace namsan {

// The screen that a Multiboot kernel wants to find.
struct MultibootVideo {
    bool text; // otherwise a linear frame buffer
    uint32_t width; // characters or pixels; 0: any, as with the others
    uint32_t height;
    uint32_t depth; // bits per pixel
};

// A kernel for Multiboot (version 1): where its pieces belong, and what it asks of the loader.
// Multiboot Specification 0.6.96, 3.1.
struct MultibootImage {
    uint32_t entry; // physical; lies in one of the segments
    std::vector<ElfSegment> segments; // views of the file; at least one, none empty, no two overlap
    std::optional<MultibootVideo> video;

    uint64_t end() const;

    // The file's bytes must outlive the image. The address fields of the header come before those of ELF. The error is
    // the end of a sentence that began with the file's name.
    static Result<MultibootImage> parse(std::span<const uint8_t> file);
};

} // namespace namsan
