// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/workload_progress.h"
#include "vmm/machine/machine_sample.h"

#include <optional>
#include <vector>

namespace namsan {

// What a lane has shown since its mark: the figures beside its picture and its line in the plot. In bounded memory,
// whatever the guest prints.
class LaneTrack {
public:
    static constexpr size_t mostPoints = 4096;

    struct Step {
        double guestSeconds; // since the mark
        unsigned done; // pieces of work
    };
    struct Speed {
        double guestSeconds;
        double mips; // of all vCPUs together, over the half second before
    };

    void begin(GuestTime mark); // forgets what was before
    void add(const MachineSample&); // some ten times a second
    void note(const WorkloadProgress&);
    void finish(double guestSeconds); // as the guest says

    bool begun() const { return m_mark.has_value(); }
    std::optional<GuestTime> mark() const { return m_mark; }
    double guestSeconds() const { return m_guestSeconds; } // since the mark
    std::optional<double> mips() const; // empty: not known yet
    const std::vector<Step>& steps() const { return m_steps; } // the guest tells of them: done grows
    const std::vector<Speed>& speeds() const { return m_speeds; }
    unsigned done() const { return m_steps.empty() ? 0 : m_steps.back().done; }
    unsigned total() const { return m_total; } // 0: the guest has not told of any progress

private:
    std::optional<GuestTime> m_mark;
    std::optional<MachineSample> m_before; // what the next speed is measured from
    double m_guestSeconds = 0;
    bool m_finished = false;
    std::vector<Step> m_steps;
    std::vector<Speed> m_speeds;
    unsigned m_total = 0;
};

} // namespace namsan
