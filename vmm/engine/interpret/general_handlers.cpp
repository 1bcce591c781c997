// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/general_handlers.h"

namespace namsan {

void bindGeneralHandlers(HandlerTable& table)
{
    bindArithmetic(table);
    bindShifts(table);
    bindMultiplication(table);
    bindMoves(table);
    bindBitTests(table);
    bindStack(table);
    bindNearTransfers(table);
    bindStringOperations(table);
    bindDecimalAdjust(table);
    bindAccumulatorAndFlags(table);
}

} // namespace namsan
