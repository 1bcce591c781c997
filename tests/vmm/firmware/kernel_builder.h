// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/temporary_folder.h"
#include "vmm/firmware/linux_kernel_image.h"

#include <cstdint>
#include <vector>

namespace namsan {

using Bytes = std::vector<uint8_t>;

// An ELF image like a kernel's: text and data at 16 MiB, behind it data with bss. Its bytes are not all alike, so that
// misplaced ones are seen.
struct ElfBuilder {
    uint32_t textAddress = 0x1000000;
    uint32_t entry = 0x1000000;
    Bytes text = patterned(5000, 3);
    uint32_t dataAddress = 0x1010000;
    Bytes data = patterned(100, 7);
    uint32_t bssSize = 9000;

    static Bytes patterned(size_t size, unsigned step);
    Bytes build() const;
};

// A bzImage around a payload: boot sector, two setup sectors, a protected-mode kernel whose first bytes are code.
struct KernelBuilder {
    static constexpr size_t setupSize = 3 * 512;
    static constexpr size_t codeSize = 64; // before the payload

    Bytes payload = ElfBuilder().build();
    uint16_t protocol = 0x020f;
    uint32_t initSize = 0x100000;
    uint32_t initrdAddressMax = 0x7fffffff;
    uint32_t commandLineSize = 2047;
    uint16_t extendedLoadFlags = 0;

    Bytes build() const;
};

Bytes packXz(const Bytes&); // with the x86 filter, as the kernel's build does
Bytes packGzip(const Bytes&);
Bytes packZstandard(const Bytes&);

} // namespace namsan
