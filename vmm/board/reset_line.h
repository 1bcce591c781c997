// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"

namespace namsan {

struct ResetPulse { };

// The line that resets the machine. A pulse is a request: the machine carries it out once the guest's instruction that
// caused it is done. All calls under the board lock.
class ResetLine {
public:
    void pulse()
    {
        ++m_pulses;
        m_channel.send({});
    }

    int pulses() const { return m_pulses; } // since construction

    Channel<ResetPulse>& channel() { return m_channel; }

private:
    int m_pulses = 0;
    Channel<ResetPulse> m_channel;
};

} // namespace namsan
