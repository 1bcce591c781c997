// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/task_state.h"

#include "vmm/engine/interpret/flag_rules.h"
#include "vmm/engine/interpret/segment_loading.h"

namespace namsan {

namespace {

bool isTss32(const SegmentState& tr)
{
    return tr.accessRights & system_type::bit32;
}

} // namespace

InnerStack fetchInnerStack(Processor& processor, unsigned level)
{
    const SegmentState& tr = processor.tr;
    const bool wide = isTss32(tr);
    const uint32_t offset = wide ? 4 + 8 * level : 2 + 4 * level;
    const uint32_t lastByte = offset + (wide ? 5 : 3);
    if (!isUsable(tr) || lastByte > tr.limit)
        throwSelectorFault(Exception::InvalidTss, tr.selector);

    const uint32_t address = tr.base + offset;
    InnerStack stack;
    stack.stackPointer = wide ? processor.memory.readAsSupervisor<uint32_t>(address)
                              : processor.memory.readAsSupervisor<uint16_t>(address);
    const auto selector = processor.memory.readAsSupervisor<uint16_t>(address + (wide ? 4 : 2));
    stack.segment = fetchStackSegment(processor, selector, level, Exception::InvalidTss);
    return stack;
}

void checkPortPermission(Processor& processor, uint16_t port, Width width)
{
    // In virtual-8086 mode the map decides whatever IOPL is.
    if (!processor.protectedMode() || (processor.cpl <= ioPrivilegeLevel(processor) && !processor.virtual8086()))
        return;
    constexpr uint32_t mapBaseOffset = 102;
    const SegmentState& tr = processor.tr;
    if (!isUsable(tr) || !isTss32(tr) || tr.limit < mapBaseOffset + 1)
        throwGeneralProtection();
    const uint32_t mapBase = processor.memory.readAsSupervisor<uint16_t>(tr.base + mapBaseOffset);

    // Two bytes are always read, so that the bits of a wide access that crosses a byte are there.
    const uint32_t first = mapBase + port / 8;
    if (first + 1 > tr.limit)
        throwGeneralProtection();
    const uint32_t forbidden = processor.memory.readAsSupervisor<uint16_t>(tr.base + first);
    const uint32_t ports = (1u << bytesOf(width)) - 1;
    if (forbidden >> port % 8 & ports)
        throwGeneralProtection();
}

} // namespace namsan
