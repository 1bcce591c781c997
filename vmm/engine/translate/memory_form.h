// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

namespace Xbyak {
class Label;
}

namespace namsan {

class Assembler;

enum class MemoryAccess { Read, Write };

// How translated code gets from a linear address to the host's memory.
class MemoryForm {
public:
    virtual ~MemoryForm() = default;

    // Emits the way from the linear address in r8d to an r10 for which r10 + r8 is the place in host memory of size
    // bytes (1, 2, 4, 8, 10, 16). Where that is not possible (page crossing, no plain RAM, a fault) it jumps to slow
    // with r8d as it was. Changes r9, r10 and the host's flags. Write: the place may be read as well.
    virtual void emitLookup(Assembler&, MemoryAccess, unsigned size, Xbyak::Label& slow) const = 0;
};

// Compares with LinearMemory's own table. Runs everywhere; no signal is ever needed.
std::unique_ptr<MemoryForm> makeTlbForm();

} // namespace namsan
