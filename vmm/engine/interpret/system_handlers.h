// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/handler_table.h"

// Each binds the handlers of the file that it is named after; bindSystemHandlers() binds all of them.
namespace namsan {

void bindSegmentRegisterInstructions(HandlerTable&);
void bindTransferInstructions(HandlerTable&);
void bindDescriptorTableInstructions(HandlerTable&);
void bindProtectionChecks(HandlerTable&);
void bindControlInstructions(HandlerTable&);
void bindPortInstructions(HandlerTable&);

} // namespace namsan
