// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/run_orders.h"
#include "vmm/machine/line_splitter.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/workload_watch.h"

#include <span>
#include <string>
#include <vector>

namespace namsan {

// Decides when a run is over, and how it went. The first decision stands. Not thread-safe.
class RunGoal {
public:
    explicit RunGoal(const RunOrders&);

    // What happened. Workload events of the same bytes come first: a line may be the goal and report a failure, too.
    void workload(const WorkloadEvent&);
    void serialOutput(std::span<const uint8_t>);
    void screen(const std::vector<std::string>& lines);
    void ended(const MachineEnding&);
    void timedOut(std::string_view typingWaitsFor);
    void interrupted(ExitCode, std::string why);

    const std::optional<RunOutcome>& outcome() const { return m_outcome; }

private:
    void reached();
    void decide(ExitCode, std::string why);
    std::string whatIsMissing() const;

    RunOrders m_orders;
    LineSplitter m_lines;
    std::string m_failedWorkload; // the first that the guest reported as failed
    std::optional<RunOutcome> m_outcome;
};

} // namespace namsan
