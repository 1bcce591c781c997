// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"

#include <cstdint>

namespace namsan {

// A PS/2 device has bytes to send where it had none.
struct Ps2BytesReady { };

// What hangs on one of the keyboard controller's two serial ports. The controller takes bytes when it has room for
// them; the wire's slowness is the controller's business. All calls under the board lock.
class Ps2Device {
public:
    virtual ~Ps2Device() = default;

    virtual bool hasByte() const = 0;
    virtual uint8_t takeByte() = 0; // only while hasByte()
    virtual void command(uint8_t) = 0; // a byte from the controller: command or parameter

    Channel<Ps2BytesReady>& ready() { return m_ready; }

private:
    Channel<Ps2BytesReady> m_ready;
};

} // namespace namsan
