// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/width.h"

#include <cstdint>

namespace namsan {

// One function of a device on the PCI bus, seen from its configuration space. Under the board lock.
class PciFunction {
public:
    virtual ~PciFunction() = default;

    // offset + width never runs over the end of an aligned dword.
    virtual uint32_t readConfiguration(uint8_t offset, Width) = 0;
    virtual void writeConfiguration(uint8_t offset, Width, uint32_t value) = 0;
};

} // namespace namsan
