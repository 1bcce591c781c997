// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_state.h"

#include <cstdint>

// The six arithmetic flags as LAHF and SETO leave them in AX, which is how the interpreter keeps them:
// AH = SF ZF 0 AF 0 PF 1 CF, AL = OF (0 or 1).
namespace namsan::host_flags {

constexpr uint16_t overflow = 1 << 0;
constexpr uint16_t carry = 1 << 8;
constexpr uint16_t alwaysOne = 1 << 9;
constexpr uint16_t parity = 1 << 10;
constexpr uint16_t auxiliary = 1 << 12;
constexpr uint16_t zero = 1 << 14;
constexpr uint16_t sign = 1 << 15;

constexpr uint32_t toEflags(uint16_t flags)
{
    constexpr uint32_t lowByte = eflags::arithmetic & 0xff;
    return ((flags >> 8) & lowByte) | ((flags & overflow) ? eflags::overflow : 0);
}

constexpr uint16_t fromEflags(uint32_t value)
{
    constexpr uint32_t lowByte = eflags::arithmetic & 0xff;
    return static_cast<uint16_t>((value & lowByte) << 8 | alwaysOne | ((value & eflags::overflow) ? overflow : 0));
}

// Whether a condition of Jcc, SETcc, CMOVcc holds. Intel SDM volume 1, appendix B.
template <unsigned condition> constexpr bool holds(uint16_t flags)
{
    constexpr unsigned pair = condition / 2;
    bool result = false;
    if constexpr (pair == 0)
        result = flags & overflow;
    else if constexpr (pair == 1)
        result = flags & carry;
    else if constexpr (pair == 2)
        result = flags & zero;
    else if constexpr (pair == 3)
        result = flags & (carry | zero);
    else if constexpr (pair == 4)
        result = flags & sign;
    else if constexpr (pair == 5)
        result = flags & parity;
    else if constexpr (pair == 6)
        result = ((flags >> 15) ^ flags) & 1;
    else
        result = (flags & zero) || (((flags >> 15) ^ flags) & 1);
    return result != static_cast<bool>(condition & 1);
}

} // namespace namsan::host_flags
