// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>

namespace namsan {

// Exception vectors. Intel SDM volume 3, table 6-1.
enum class Exception : uint8_t {
    DivideError = 0,
    Debug = 1,
    NonMaskableInterrupt = 2,
    Breakpoint = 3,
    Overflow = 4,
    BoundRange = 5,
    InvalidOpcode = 6,
    DeviceNotAvailable = 7,
    DoubleFault = 8,
    InvalidTss = 10,
    SegmentNotPresent = 11,
    StackFault = 12,
    GeneralProtection = 13,
    PageFault = 14,
    FloatingPoint = 16,
    AlignmentCheck = 17,
    MachineCheck = 18,
    Simd = 19,
};

// Thrown by whatever finds that the current instruction must fault; caught by the interpreter's loop, which delivers it
// with EIP still at that instruction. For a page fault, CR2 is set by who throws.
struct Fault {
    Exception exception;
    std::optional<uint32_t> errorCode; // set for exactly those exceptions that push one
};

// Thrown where a double fault could not be delivered: the processor shuts down.
struct TripleFault { };

[[noreturn]] inline void throwInvalidOpcode()
{
    throw Fault { Exception::InvalidOpcode, {} };
}
[[noreturn]] inline void throwGeneralProtection(uint32_t errorCode = 0)
{
    throw Fault { Exception::GeneralProtection, errorCode };
}

} // namespace namsan
