// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/processor.h"

namespace namsan {

// Control transfers that load CS. All set nextEip, and change nothing where they throw. operandSize is 2 or 4 bytes.
// Intel SDM volume 2, JMP, CALL, RET, IRET.
//
// Jumps and calls through a TSS or a task gate, and IRET with NT set, are task switches in the manual; IRET with VM in
// the popped flags goes to virtual-8086 mode. This engine has neither yet: they raise #GP.
void jumpFar(Processor&, uint16_t selector, uint32_t offset, unsigned operandSize);
void callFar(Processor&, uint16_t selector, uint32_t offset, unsigned operandSize); // returns to nextEip
void returnFar(Processor&, unsigned operandSize, uint16_t releasedBytes);
void returnFromInterrupt(Processor&, unsigned operandSize);

} // namespace namsan
