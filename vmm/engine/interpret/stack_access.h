// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/processor.h"

namespace namsan {

// Pushes onto the processor's stack, or onto one that is not yet its own. Nothing of the processor changes: who has
// pushed all that belongs together, without a fault, takes the stack pointer from here.
class StackPusher {
public:
    // The stack of now.
    explicit StackPusher(Processor&);
    // The stack of an inner privilege level, where a push beyond the limit is #SS with that error code.
    StackPusher(Processor&, const SegmentState& segment, uint32_t stackPointer, uint32_t limitErrorCode);

    void push(uint32_t value, unsigned size); // size: 2 or 4 bytes

    // ESP: of a 16-bit stack only the low half has moved.
    uint32_t stackPointer() const { return m_stackPointer; }

private:
    Processor& m_processor;
    const SegmentState m_segment;
    const uint32_t m_offsetMask;
    const LinearMemory::Privilege m_privilege;
    const uint32_t m_limitErrorCode = 0;
    uint32_t m_stackPointer;
};

// Pops from the processor's stack without moving its stack pointer before everything was read.
class StackPopper {
public:
    explicit StackPopper(Processor&);

    uint32_t pop(unsigned size); // size: 2 or 4 bytes
    void skip(uint32_t bytes);

    uint32_t stackPointer() const { return m_stackPointer; }

private:
    Processor& m_processor;
    const uint32_t m_offsetMask;
    uint32_t m_stackPointer;
};

// base with its low half, or all of it, replaced: a 16-bit stack leaves the high half of ESP alone.
constexpr uint32_t withStackPointer(uint32_t base, uint32_t value, uint32_t offsetMask)
{
    return (base & ~offsetMask) | (value & offsetMask);
}

constexpr uint32_t stackOffsetMask(const SegmentState& segment)
{
    return segment.accessRights & 1 << 14 ? 0xffffffff : 0xffff;
}

} // namespace namsan
