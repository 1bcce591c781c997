// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <cstdint>
#include <span>
#include <vector>

namespace namsan {

// One loadable segment: bytes at a physical address, followed by zeroes up to its size in memory.
struct ElfSegment {
    uint32_t address;
    std::span<const uint8_t> bytes;
    uint32_t zeroes; // how many follow

    uint64_t end() const { return uint64_t { address } + bytes.size() + zeroes; }
};

// An executable for the 32-bit processor as a kernel is linked: ELF32, little-endian, EM_386, physical addresses.
// System V ABI, chapters 4 and 5 ("Object Files", "Program Loading").
struct ElfImage {
    uint32_t entry; // physical; lies in one of the segments
    std::vector<ElfSegment> segments; // views of the file; at least one, none empty, no two overlap

    uint32_t lowest() const;
    uint64_t end() const;

    // The file's bytes must outlive the image. Every offset and size is checked against the file and against 4 GiB. The
    // error is the end of a sentence that began with the file's name: "is for a 64-bit processor. ...".
    static Result<ElfImage> parse(std::span<const uint8_t> file);
};

} // namespace namsan
