// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/processor.h"

namespace namsan {

// Writes of control registers with their rules and effects; where a rule is broken, #GP(0) or #UD and nothing has
// changed. Privilege is the caller's. Intel SDM volume 3, 2.5.
//
// Segment registers keep their hidden parts when protected mode is entered or left, as they do in hardware.
void writeCr0(Processor&, uint32_t value);
void writeCr3(Processor&, uint32_t value);
void writeCr4(Processor&, uint32_t value);
void writeEfer(Processor&, uint64_t value); // #GP(0) too where the model has none
void clearTaskSwitched(Processor&); // CLTS
void setTaskSwitched(Processor&); // by a task switch

void requireControlRegister(unsigned number); // #UD: before privilege is looked at
uint32_t readControlRegister(const Processor&, unsigned number);
void writeControlRegister(Processor&, unsigned number, uint32_t value);

} // namespace namsan
