// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/segment_loading.h"

#include <algorithm>

namespace namsan {

namespace {

constexpr uint32_t localTable = 1 << 2; // TI of a selector

} // namespace

SegmentState nullSegment(uint16_t selector)
{
    return { selector, access_rights::unusable, 0, 0 };
}

Descriptor fetchDescriptor(Processor& processor, uint32_t selector, Exception outside)
{
    const bool local = selector & localTable;
    if (local && !isUsable(processor.ldtr))
        throwSelectorFault(outside, selector);
    const uint32_t base = local ? processor.ldtr.base : processor.gdtr.base;
    const uint32_t limit = local ? processor.ldtr.limit : processor.gdtr.limit;
    const uint32_t offset = selector & 0xfff8;
    if (offset + 7 > limit)
        throwSelectorFault(outside, selector);
    const uint32_t address = base + offset;
    const auto both = processor.memory.readAsSupervisor<uint64_t>(address);
    return { static_cast<uint32_t>(both), static_cast<uint32_t>(both >> 32), address };
}

SegmentState fetchStackSegment(Processor& processor, uint16_t selector, unsigned level, Exception violation)
{
    if (isNull(selector))
        throw Fault { violation, 0 };
    const Descriptor descriptor = fetchDescriptor(processor, selector, violation);
    if (rplOf(selector) != level || descriptor.dpl() != level || !descriptor.isWritable())
        throwSelectorFault(violation, selector);
    if (!descriptor.present())
        throwSelectorFault(Exception::StackFault, selector);
    return markAccessed(processor, selector, descriptor);
}

SegmentState fetchDataSegment(Processor& processor, uint16_t selector, Exception violation)
{
    if (isNull(selector))
        return nullSegment(selector);
    const Descriptor descriptor = fetchDescriptor(processor, selector, violation);
    const unsigned requested = std::max<unsigned>(rplOf(selector), processor.cpl);
    if (!descriptor.isReadable() || (!descriptor.isConformingCode() && requested > descriptor.dpl()))
        throwSelectorFault(violation, selector);
    if (!descriptor.present())
        throwSelectorFault(Exception::SegmentNotPresent, selector);
    return markAccessed(processor, selector, descriptor);
}

SegmentState markAccessed(Processor& processor, uint32_t selector, const Descriptor& descriptor)
{
    SegmentState segment = descriptor.segment(selector);
    if (!(segment.accessRights & access_rights::accessed)) {
        segment.accessRights |= access_rights::accessed;
        processor.memory.writeAsSupervisor<uint32_t>(
            descriptor.address + 4, descriptor.high | access_rights::accessed << 8);
    }
    return segment;
}

SegmentState realModeSegment(const SegmentState& before, uint16_t selector)
{
    SegmentState segment = before;
    segment.selector = selector;
    segment.base = uint32_t { selector } << 4;
    if (!isUsable(before)) {
        // Left null by protected mode, which gave it no limit that could stay.
        segment.limit = 0xffff;
        segment.accessRights
            = access_rights::present | access_rights::codeOrData | access_rights::writable | access_rights::accessed;
    }
    return segment;
}

SegmentState virtual8086Segment(uint16_t selector)
{
    constexpr uint32_t rights = 0xf3; // present, DPL 3, writable data, accessed; 16 bits
    return { selector, rights, uint32_t { selector } << 4, 0xffff };
}

SegmentState paragraphSegment(const Processor& processor, SegmentIndex index, uint16_t selector)
{
    return processor.virtual8086() ? virtual8086Segment(selector)
                                   : realModeSegment(processor.segments[index].state, selector);
}

void loadSegment(Processor& processor, SegmentIndex index, uint16_t selector)
{
    if (processor.paragraphSegments())
        processor.setSegment(index, paragraphSegment(processor, index, selector));
    else if (index == Ss)
        processor.setSegment(
            index, fetchStackSegment(processor, selector, processor.cpl, Exception::GeneralProtection));
    else
        processor.setSegment(index, fetchDataSegment(processor, selector, Exception::GeneralProtection));
}

void dropInnerSegments(Processor& processor)
{
    for (const SegmentIndex index : { Es, Ds, Fs, Gs }) {
        const SegmentState& segment = processor.segments[index].state;
        const bool conforming
            = (segment.accessRights & access_rights::code) && (segment.accessRights & access_rights::conforming);
        if (isUsable(segment) && !conforming && dplOf(segment) < processor.cpl)
            processor.setSegment(index, nullSegment(0));
    }
}

} // namespace namsan
