// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <string>
#include <string_view>

namespace namsan {

// A device that a PC does not have and that a configuration can add; mostly for test guests.
struct OptionalDevice {
    enum class Kind {
        DebugExit, // "isa-debug-exit"
        DebugConsole, // "debugcon", port E9
        SeaBiosConsole, // "port402", port 402
    };

    Kind kind;
    std::string file; // where a console's bytes go; empty: into the machine's log

    bool operator==(const OptionalDevice&) const = default;
};

std::string_view nameOf(OptionalDevice::Kind);

// "isa-debug-exit", or "debugcon,file=PATH" (the path may hold commas). Fails with a sentence that lists what there is.
Result<OptionalDevice> parseOptionalDevice(std::string_view);
// As parseOptionalDevice() takes it.
std::string format(const OptionalDevice&);

} // namespace namsan
