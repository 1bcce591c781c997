// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace namsan {

class HandlerTable;

// The parts of bindSimdHandlers().
void bindMmxArithmetic(HandlerTable&);
void bindMmxMoves(HandlerTable&);
void bindSseArithmetic(HandlerTable&);
void bindSseComparisons(HandlerTable&);
void bindSseConversions(HandlerTable&);
void bindSseIntegers(HandlerTable&);
void bindSseMoves(HandlerTable&);
void bindSseShuffles(HandlerTable&);
void bindSimdState(HandlerTable&);

} // namespace namsan
