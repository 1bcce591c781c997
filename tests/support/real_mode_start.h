// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_state.h"

namespace namsan {

// A processor in real mode at 0:address, all segments at 0, its stack below the code.
inline CpuState realModeStart(uint16_t address)
{
    CpuState state = CpuState::afterReset();
    for (SegmentState& segment : state.segments) {
        segment.selector = 0;
        segment.base = 0;
    }
    state.gpr[Esp] = address;
    state.eip = address;
    return state;
}

} // namespace namsan
