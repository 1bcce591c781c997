// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

// Reads a whole file that a guest boots from. what names its part in the sentence of an error ("kernel", "initrd").
// Fails for what is missing, unreadable, no regular file, empty, or larger than largest bytes.
Result<std::vector<uint8_t>> readBootFile(std::string_view what, const std::string& path, uint64_t largest);

} // namespace namsan
