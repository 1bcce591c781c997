// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/host/topology.h"

#include <map>
#include <string>
#include <string_view>

namespace namsan {

// How busy each of the host's logical CPUs is with everything that runs there, from /proc/stat (proc(5)).
class HostLoad {
public:
    // Reads the counters and returns, per CPU that is online, the busy share of the time since the last update: 0 to 1.
    // The first update returns nothing. One thread.
    std::map<LogicalCpu, double> update();

    // The same from the text of /proc/stat.
    std::map<LogicalCpu, double> update(std::string_view statText);

private:
    struct Ticks {
        uint64_t busy = 0;
        uint64_t all = 0;
    };

    std::map<LogicalCpu, Ticks> m_last;
};

} // namespace namsan
