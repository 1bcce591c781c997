// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/handler_table.h"

// Each binds the handlers of the file that it is named after.
namespace namsan {

void bindArithmetic(HandlerTable&);
void bindShifts(HandlerTable&);
void bindMultiplication(HandlerTable&);
void bindMoves(HandlerTable&);
void bindBitTests(HandlerTable&);
void bindStack(HandlerTable&);
void bindNearTransfers(HandlerTable&);
void bindStringOperations(HandlerTable&);
void bindDecimalAdjust(HandlerTable&);
void bindAccumulatorAndFlags(HandlerTable&);

} // namespace namsan
