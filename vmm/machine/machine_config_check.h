// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/machine/machine_config.h"

namespace namsan {

// Whether a configuration's fields go together: it names exactly one thing to start, and nothing that this has no use
// for. Fails with a sentence.
Result<void> checkMachineConfig(const MachineConfig&);

} // namespace namsan
