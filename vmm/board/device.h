// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/state_stream.h"

#include <string_view>

namespace namsan {

// A chip on the board. Its constructor takes exactly what it is wired to and claims its ports and addresses.
//
// A device never locks, blocks, sleeps or reads the host's clock: every call comes under the board lock, and time comes
// from its Timers. Whatever the guest does has the effect that the hardware's manual gives it.
class Device {
public:
    virtual ~Device() = default;

    virtual std::string_view name() const = 0;

    // The state after the board's reset line was pulled, which is also the state after construction.
    virtual void reset() = 0;

    // restore() takes what save() put, and where it fails, leaves the device as it was. Wires that follow from the
    // state (interrupt lines, gates) are driven again by restore().
    virtual void save(StateWriter&) const = 0;
    virtual Result<void> restore(StateReader&) = 0;
};

} // namespace namsan
