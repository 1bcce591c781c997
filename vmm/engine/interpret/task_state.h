// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/width.h"
#include "vmm/engine/interpret/processor.h"

namespace namsan {

struct InnerStack {
    SegmentState segment;
    uint32_t stackPointer = 0;
};

// The stack that the task state segment, of either size, keeps for privilege level 0, 1 or 2; checked as a gate checks
// it (#TS, #SS). Intel SDM volume 3, 5.8.5 and 7.2.
InnerStack fetchInnerStack(Processor&, unsigned level);

// #GP(0) where neither IOPL nor the task's I/O permission map allows the access. Intel SDM volume 1, 19.5.
void checkPortPermission(Processor&, uint16_t port, Width);

} // namespace namsan
