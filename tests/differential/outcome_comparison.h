// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/interpreted_host.h"

#include <string>

namespace namsan {

// What differs between the interpreter's outcome and the host's, in words; empty if nothing does. Left out is only what
// the manual leaves open (the entry's undefined flags) and the x87's pointers to its last instruction, which
// processors keep and save under different circumstances.
std::string differences(const InstructionEntry&, const NativeCase& host, const Outcome& interpreter);

} // namespace namsan
