// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/descriptor.h"
#include "vmm/engine/interpret/processor.h"

namespace namsan {

// Loads ES, SS, DS, FS or GS as MOV, POP and LDS do, with all of the checks. Nothing has changed where it throws.
// Intel SDM volume 2, MOV.
void loadSegment(Processor&, SegmentIndex, uint16_t selector);

// The parts of which far transfers and interrupts make their own loads. These look and throw; they change nothing of
// the processor, and in memory only accessed bits.

// The descriptor that a selector names. Outside its table: `outside` with the selector. Null selectors are the
// caller's.
Descriptor fetchDescriptor(Processor&, uint32_t selector, Exception outside = Exception::GeneralProtection);

// A stack segment for that privilege level, whose violations raise `violation` with the selector. A null selector too,
// with 0. Not present: #SS.
SegmentState fetchStackSegment(Processor&, uint16_t selector, unsigned level, Exception violation);

// A data segment for the level of now, or a null one. Violations raise `violation` with the selector. Not present: #NP.
SegmentState fetchDataSegment(Processor&, uint16_t selector, Exception violation);

// The state of a segment with that descriptor, after its accessed bit was set in the descriptor table.
SegmentState markAccessed(Processor&, uint32_t selector, const Descriptor&);

// What a segment register holds after a load in real mode: limit and rights stay (SDM volume 3, 21.1.1).
SegmentState realModeSegment(const SegmentState& before, uint16_t selector);

// The same in virtual-8086 mode, where the rest is fixed (SDM volume 3, 21.2.1), and in whichever of both modes it is.
SegmentState virtual8086Segment(uint16_t selector);
SegmentState paragraphSegment(const Processor&, SegmentIndex, uint16_t selector);

// What a null selector leaves.
SegmentState nullSegment(uint16_t selector);

// After a return to an outer privilege level: data segments that this level may not use become null.
// Intel SDM volume 2, RET, RETURN-OUTER-PRIVILEGE-LEVEL.
void dropInnerSegments(Processor&);

[[noreturn]] inline void throwSelectorFault(Exception exception, uint32_t selector)
{
    throw Fault { exception, selectorError(selector) };
}

} // namespace namsan
