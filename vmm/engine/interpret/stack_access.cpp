// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/stack_access.h"

#include "vmm/engine/interpret/descriptor.h"

namespace namsan {

StackPusher::StackPusher(Processor& processor)
    : m_processor(processor)
    , m_segment(processor.segments[Ss].state)
    , m_offsetMask(stackOffsetMask(m_segment))
    , m_privilege(processor.cpl == 3 ? LinearMemory::Privilege::User : LinearMemory::Privilege::Supervisor)
    , m_stackPointer(processor.gpr[Esp])
{
}

StackPusher::StackPusher(
    Processor& processor, const SegmentState& segment, uint32_t stackPointer, uint32_t limitErrorCode)
    : m_processor(processor)
    , m_segment(segment)
    , m_offsetMask(stackOffsetMask(m_segment))
    , m_privilege(LinearMemory::Privilege::Supervisor)
    , m_limitErrorCode(limitErrorCode)
    , m_stackPointer(stackPointer)
{
}

void StackPusher::push(uint32_t value, unsigned size)
{
    const uint32_t offset = (m_stackPointer - size) & m_offsetMask;
    if (!isUsable(m_segment) || !withinLimit(m_segment, offset, size))
        throw Fault { Exception::StackFault, m_limitErrorCode };
    if (size == 2)
        m_processor.memory.writeAs(m_privilege, m_segment.base + offset, static_cast<uint16_t>(value));
    else
        m_processor.memory.writeAs(m_privilege, m_segment.base + offset, value);
    m_stackPointer = withStackPointer(m_stackPointer, offset, m_offsetMask);
}

StackPopper::StackPopper(Processor& processor)
    : m_processor(processor)
    , m_offsetMask(stackOffsetMask(processor.segments[Ss].state))
    , m_stackPointer(processor.gpr[Esp])
{
}

uint32_t StackPopper::pop(unsigned size)
{
    const uint32_t offset = m_stackPointer & m_offsetMask;
    const uint32_t value = size == 2 ? m_processor.read<uint16_t>(Ss, offset) : m_processor.read<uint32_t>(Ss, offset);
    skip(size);
    return value;
}

void StackPopper::skip(uint32_t bytes)
{
    m_stackPointer = withStackPointer(m_stackPointer, m_stackPointer + bytes, m_offsetMask);
}

} // namespace namsan
