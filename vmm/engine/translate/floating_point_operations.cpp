// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/floating_point_operations.h"

#include "vmm/engine/interpret/fxsave_image.h"
#include "vmm/engine/translate/native_operations.h"

namespace namsan {

uint32_t floatingPointModeOf(const Processor& processor)
{
    if (processor.cr0 & (cr0::emulation | cr0::taskSwitched))
        return 0;
    const FxsaveImage& image = imageOf(processor.fxsave);
    uint32_t mode = 0;
    const bool pending = image.status & x87_status::errorSummary;
    if (!pending && (image.control & x87_status::exceptions) == x87_status::exceptions)
        mode |= unit_mode::x87IsNative;
    if ((processor.cr4 & cr4::fxsave) && (image.mxcsr & mxcsr::masks) == mxcsr::masks)
        mode |= unit_mode::sseIsNative;
    return mode;
}

bool isFloatingPoint(const Instruction& instruction)
{
    switch (instruction.entry->operation) {
    case Operation::Wait:
    case Operation::Fence:
    case Operation::Fxsave:
    case Operation::Fxrstor:
    case Operation::Clflush:
        return true;
    default:
        return instruction.entry->attributes & (attribute::fpu | attribute::mmx | attribute::simd);
    }
}

bool isNativeFloatingPoint(const Instruction& instruction, uint32_t mode)
{
    // Every host has SSE2. Of what came later the interpreter knows what to do where the host lacks it.
    switch (instruction.entry->feature) {
    case Feature::Base:
    case Feature::Cmov:
    case Feature::Mmx:
    case Feature::Fxsr:
    case Feature::Sse:
    case Feature::Sse2:
        break;
    default:
        return false;
    }
    switch (instruction.entry->operation) {
    case Operation::Fence:
        return true;
    case Operation::Wait:
        return mode & unit_mode::x87IsNative;
    case Operation::Fldenv:
    case Operation::Fnstenv:
    case Operation::Frstor:
    case Operation::Fnsave:
    case Operation::Fninit:
    case Operation::FnopControl:
    case Operation::Fbstp:
    case Operation::Fbld:
    case Operation::Fxsave:
    case Operation::Fxrstor:
    case Operation::Clflush:
    case Operation::Maskmovq:
    case Operation::Maskmovdqu:
        return false;
    default:
        break;
    }
    uint32_t needed = 0;
    if (instruction.entry->attributes & (attribute::fpu | attribute::mmx))
        needed |= unit_mode::x87IsNative;
    if (instruction.entry->attributes & attribute::simd)
        needed |= unit_mode::sseIsNative;
    return (mode & needed) == needed;
}

bool changesFloatingPointMode(const Instruction& instruction)
{
    switch (instruction.entry->operation) {
    case Operation::Fldcw:
    case Operation::Fldenv:
    case Operation::Frstor:
    case Operation::Fninit:
    case Operation::Fnsave:
    case Operation::Fnclex:
    case Operation::Fxrstor:
    case Operation::Ldmxcsr:
        return true;
    default:
        return false;
    }
}

bool setsX87Pointers(const Instruction& instruction)
{
    if (!(instruction.entry->attributes & attribute::fpu))
        return false;
    switch (instruction.entry->operation) {
    case Operation::Fldcw:
    case Operation::Fnstcw:
    case Operation::Fnstsw:
    case Operation::FnstswAx:
    case Operation::Fnclex:
    case Operation::Fnop:
        return false;
    default:
        return true;
    }
}

} // namespace namsan
