// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/fault.h"
#include "vmm/engine/interpret/processor.h"

#include <cstdint>

namespace namsan {

// Interrupts and exceptions, through the real-mode vector table or through interrupt, trap and task gates. Intel SDM
// volume 3, chapter 6. Each sets nextEip to the handler's entry, CS, SS, ESP and EFLAGS; the loop moves EIP. Through a
// task gate all of the state is another one.

// An external interrupt or NMI, between two instructions: returns to eip. An exception in the delivery is delivered in
// its place; throws TripleFault.
void deliverInterrupt(Processor&, uint8_t vector);

// INT n, INT3, INTO, from their handlers: returns to nextEip. Throws Fault as any instruction does.
void deliverSoftwareInterrupt(Processor&, uint8_t vector);

// INT1: as the above, but the gate's DPL is not looked at.
void deliverHardwareTrap(Processor&, uint8_t vector);

// A fault of the instruction at eip, or a trap that was noticed before it; returns to eip. Becomes a double fault by
// the rules of table 6-5; throws TripleFault.
void deliverException(Processor&, const Fault&);

} // namespace namsan
