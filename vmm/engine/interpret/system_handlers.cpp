// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/system_handlers.h"

namespace namsan {

void bindSystemHandlers(HandlerTable& table)
{
    bindSegmentRegisterInstructions(table);
    bindTransferInstructions(table);
    bindDescriptorTableInstructions(table);
    bindProtectionChecks(table);
    bindControlInstructions(table);
    bindPortInstructions(table);
}

} // namespace namsan
