// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <cstdint>
#include <span>
#include <vector>

namespace namsan {

// Unpacks what a kernel's build packed: XZ, Zstandard, gzip, or nothing (an ELF image as it is). Whatever follows the
// end of the packed stream is ignored: the build appends the unpacked size.
//
// Fails where the format is unknown or not supported, the data is damaged or ends too early, or the result would have
// more than largest bytes. The error is the end of a sentence that began with the kernel's name:
// "is packed with LZ4, which ...".
Result<std::vector<uint8_t>> unpackKernelPayload(std::span<const uint8_t> packed, uint64_t largest);

} // namespace namsan
