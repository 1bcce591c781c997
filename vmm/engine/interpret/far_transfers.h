// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/processor.h"

namespace namsan {

// Control transfers that load CS. All set nextEip, and change nothing where they throw. operandSize is 2 or 4 bytes.
// Intel SDM volume 2, JMP, CALL, RET, IRET.
//
// Jumps and calls to a TSS or a task gate, and IRET with NT set, switch tasks (task_switch.h says what a fault leaves
// then). IRET goes to virtual-8086 mode where the popped flags say so, and from there back as in real mode.
void jumpFar(Processor&, uint16_t selector, uint32_t offset, unsigned operandSize);
void callFar(Processor&, uint16_t selector, uint32_t offset, unsigned operandSize); // returns to nextEip
void returnFar(Processor&, unsigned operandSize, uint16_t releasedBytes);
void returnFromInterrupt(Processor&, unsigned operandSize);

} // namespace namsan
