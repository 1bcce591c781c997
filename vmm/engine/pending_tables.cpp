// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/instruction_table.h"
#include "vmm/engine/interpret/handler_table.h"

namespace namsan {

std::span<const InstructionEntry> x87Instructions()
{
    return {};
}
std::span<const InstructionEntry> simdInstructions()
{
    return {};
}
void bindX87Handlers(HandlerTable&) { }
void bindSimdHandlers(HandlerTable&) { }

} // namespace namsan
