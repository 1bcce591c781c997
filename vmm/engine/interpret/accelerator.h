// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/fault.h"

#include <optional>

namespace namsan {

// Carries out instructions faster than the interpreter does, where it can. Called by the interpreter's loop, between
// two instructions and with nothing to take care of.
class Accelerator {
public:
    virtual ~Accelerator() = default;

    enum class Outcome {
        GoOn, // as far as Processor::nextEip; there may be something to take care of
        Interpret, // the same, and the instruction there is the interpreter's
        Faulted, // at Processor::eip; the fault is to be taken
    };

    // May throw what handlers throw, the fault of a fetch among it.
    virtual Outcome run() = 0;
    virtual std::optional<Fault> takeFault() = 0;
};

} // namespace namsan
