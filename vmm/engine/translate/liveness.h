// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/instruction.h"

#include <cstdint>

namespace namsan {

// What an instruction has to do with the six arithmetic flags, as bits of EFLAGS.
struct FlagEffect {
    uint32_t read = 0; // and whatever may stay as it was
    uint32_t replaced = 0; // whatever they were before is of no importance to anybody after it
    bool changes = false;
};

// native, ends: as isNative() and endsUnit() say of it.
FlagEffect flagEffectOf(const Instruction&, bool native, bool ends);

// The flags that matter before an instruction, by those that matter after it.
constexpr uint32_t liveBefore(const FlagEffect& effect, uint32_t liveAfter)
{
    return (liveAfter & ~effect.replaced) | effect.read;
}

} // namespace namsan
