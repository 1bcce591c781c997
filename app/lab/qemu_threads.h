// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/host/placement.h"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <vector>

namespace namsan {

// The threads of a QEMU that runs, placed as those of a VM here are: its vCPU threads, which it names "CPU n/TCG", on
// their CPUs, and everything else on the VMM's, where the whole process begins.
class QemuThreads {
public:
    QemuThreads(pid_t process, Placement);

    // Places threads that are new, and notes where each has run since the last look.
    void look();

    // requested, granted and observed, with the keys of a run record.
    nlohmann::ordered_json toJson() const;

private:
    struct Thread {
        size_t role = 0; // 0 is the VMM, then the vCPUs
        uint64_t ticks = 0; // of CPU time, at the last look
    };
    struct Role {
        CpuSet granted;
        std::map<LogicalCpu, uint64_t> observed;
    };

    void begin(ThreadId, std::optional<size_t> vcpu);
    std::optional<LogicalCpu> placeOf(size_t role) const;

    pid_t m_process;
    Placement m_placement;
    std::map<ThreadId, Thread> m_threads;
    std::vector<Role> m_roles;
};

} // namespace namsan
