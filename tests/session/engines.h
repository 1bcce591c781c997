// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/session/session_rig.h"

namespace namsan {

// Every engine that there is. The translator translates all at once, as the programs are short.
std::vector<Engine> sessionEngines();

// Why KVM cannot be used here at all; empty where it can.
std::string kvmTrouble();

bool isKvm(const Engine&);

// Why an engine cannot be used here; empty where it can.
std::string troubleOf(const Engine&);

} // namespace namsan
