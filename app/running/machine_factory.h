// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/machine/machine.h"

#include <functional>
#include <memory>

namespace namsan {

// Makes machines: Machine::create in the program, something that a test can look into in tests.
using MachineFactory = std::function<Result<std::unique_ptr<Machine>>(const MachineConfig&, MachineListener*)>;

} // namespace namsan
