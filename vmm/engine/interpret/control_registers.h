// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/processor.h"

namespace namsan {

// Writes of control and debug registers with their rules and effects; where a rule is broken, #GP(0) or #UD and nothing
// has changed. Privilege is the caller's. Intel SDM volume 3, 2.5 and 17.2.
//
// Segment registers keep their hidden parts when protected mode is entered or left, as they do in hardware.
void writeCr0(Processor&, uint32_t value);
void writeCr3(Processor&, uint32_t value);
void writeCr4(Processor&, uint32_t value);
void clearTaskSwitched(Processor&); // CLTS

uint32_t readControlRegister(const Processor&, unsigned number);
void writeControlRegister(Processor&, unsigned number, uint32_t value);

// Breakpoints are stored and never hit: no instruction or access is compared with DR0 to DR3. DR4 and DR5 are DR6 and
// DR7 unless CR4.DE is set; DR7.GD turns each access into #DB.
uint32_t readDebugRegister(Processor&, unsigned number);
void writeDebugRegister(Processor&, unsigned number, uint32_t value);

} // namespace namsan
