// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace namsan {

// What an instruction does, apart from its operands' kinds and widths: ADD is one operation with a dozen encodings.
// The instruction table names one for each encoding; the interpreter and the translator have one implementation for
// each.
enum class Operation : uint16_t {
    Undefined, // no instruction: #UD

    // General purpose (general_instructions.cpp)

    // System, segmentation and far transfers (system_instructions.cpp)

    // x87 (x87_instructions.cpp)

    // MMX, SSE, SSE2 (simd_instructions.cpp)

    Count,
};

} // namespace namsan
