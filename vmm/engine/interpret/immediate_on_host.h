// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/simd_operands.h"

#include <cstddef>
#include <utility>

namespace namsan {

// Where an immediate is a part of the host's instruction, there must be one of them for each value: this is the table
// of all. Host is a struct with a template <unsigned immediate> static function apply, and its pointer type Function.
template <class Host, class Immediates> struct EveryImmediate;
template <class Host, size_t... immediates> struct EveryImmediate<Host, std::index_sequence<immediates...>> {
    static constexpr typename Host::Function all[] = { &Host::template apply<immediates>... };
};

// The host's instruction with that immediate, which is below count.
template <class Host, unsigned count> typename Host::Function withImmediate(unsigned immediate)
{
    return EveryImmediate<Host, std::make_index_sequence<count>>::all[immediate];
}

// Volatile: some of them change MXCSR, and must stay where they are.
#define NAMSAN_WITH_IMMEDIATE(name, mnemonic)                                                                          \
    struct name {                                                                                                      \
        using Function = void (*)(Xmm&, Xmm);                                                                          \
        template <unsigned immediate> static void apply(Xmm& destination, Xmm source)                                  \
        {                                                                                                              \
            asm volatile(mnemonic " %2, %1, %0" : "+x"(destination) : "x"(source), "i"(immediate));                    \
        }                                                                                                              \
    }

} // namespace namsan
