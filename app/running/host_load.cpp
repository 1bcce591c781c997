// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/host_load.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

namespace namsan {

std::map<LogicalCpu, double> HostLoad::update()
{
    std::ifstream file("/proc/stat");
    std::stringstream text;
    text << file.rdbuf();
    return update(text.str());
}

std::map<LogicalCpu, double> HostLoad::update(std::string_view statText)
{
    std::map<LogicalCpu, Ticks> current;
    std::map<LogicalCpu, double> shares;
    std::istringstream lines { std::string(statText) };
    std::string line;
    while (std::getline(lines, line) && line.starts_with("cpu")) {
        if (line.size() < 4 || line[3] < '0' || line[3] > '9')
            continue; // the sum of all
        std::istringstream fields(line.substr(3));
        LogicalCpu cpu = 0;
        fields >> cpu;
        // user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user.
        std::array<uint64_t, 8> ticks {};
        for (uint64_t& field : ticks)
            fields >> field;
        Ticks sum;
        for (const uint64_t field : ticks)
            sum.all += field;
        sum.busy = sum.all - ticks[3] - ticks[4];
        current[cpu] = sum;

        const auto last = m_last.find(cpu);
        if (last == m_last.end() || sum.all <= last->second.all)
            continue;
        const auto all = static_cast<double>(sum.all - last->second.all);
        // iowait can go back (proc(5)), and busy with it.
        const auto busy = static_cast<double>(sum.busy) - static_cast<double>(last->second.busy);
        shares[cpu] = std::clamp(busy / all, 0.0, 1.0);
    }
    m_last = std::move(current);
    return shares;
}

} // namespace namsan
