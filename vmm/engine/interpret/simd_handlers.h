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
void bindSse3(HandlerTable&);
void bindSsse3(HandlerTable&);
void bindSse4Integers(HandlerTable&);
void bindSse4Elements(HandlerTable&);
void bindSse4Reals(HandlerTable&);
void bindSse4Strings(HandlerTable&);
void bindAes(HandlerTable&);

} // namespace namsan
