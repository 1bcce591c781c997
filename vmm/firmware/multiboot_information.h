// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/firmware/linux_boot.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace namsan {

// A module as it lies in memory.
struct LoadedModule {
    uint32_t begin;
    uint32_t end;
    std::string text; // the string that came with it
};

// What a Multiboot loader tells a kernel. Multiboot Specification 0.6.96, 3.3.
struct MultibootInformation {
    uint64_t ramSize;
    std::string commandLine;
    std::vector<LoadedModule> modules;
    std::optional<LinearScreenInfo> frameBuffer; // none: VGA text, 80 x 25

    // Bytes of the structure with all that it points to.
    uint64_t size() const;
    // The same as bytes for this address.
    std::vector<uint8_t> at(uint32_t address) const;
};

} // namespace namsan
