// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace namsan {

class HandlerTable;

// The parts of bindX87Handlers().
void bindX87Arithmetic(HandlerTable&);
void bindX87Comparisons(HandlerTable&);
void bindX87Functions(HandlerTable&);
void bindX87Moves(HandlerTable&);
void bindX87Control(HandlerTable&);

} // namespace namsan
