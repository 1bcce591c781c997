// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"

namespace namsan {

// The gate on address line 20, closed at power-on as on the AT: opened by the keyboard controller's output port or by
// system control port A, whichever says so. All calls under the board lock.
class GateA20 {
public:
    bool open() const { return m_keyboardGate || m_fastGate; }

    void setKeyboardGate(bool open) { change(m_keyboardGate, open); }
    void setFastGate(bool open) { change(m_fastGate, open); }

    // Sent with the new state at each change of open().
    Channel<bool>& changes() { return m_changes; }

private:
    void change(bool& gate, bool value)
    {
        const bool before = open();
        gate = value;
        if (open() != before)
            m_changes.send(open());
    }

    bool m_keyboardGate = false;
    bool m_fastGate = false;
    Channel<bool> m_changes;
};

} // namespace namsan
