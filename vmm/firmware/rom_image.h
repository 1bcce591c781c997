// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace namsan {

constexpr uint64_t smallestRomImage = uint64_t { 64 } << 10;
constexpr uint64_t largestRomImage = uint64_t { 16 } << 20;

// Reads the image of a ROM from which a machine starts. Its size is a multiple of 64 KiB, from 64 KiB to 16 MiB.
// Fails with a sentence that names the file, the reason and the remedy.
Result<std::vector<uint8_t>> readRomImage(const std::string& path);

} // namespace namsan
