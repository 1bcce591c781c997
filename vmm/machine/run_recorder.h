// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/host/topology.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/run_record.h"
#include "vmm/machine/workload_watch.h"

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace namsan {

// Collects what one run of a machine has to tell, in bounded memory however long it runs and whatever the guest prints.
// Every call is safe from any thread; none waits.
class RunRecorder {
public:
    static constexpr size_t mostSamples = 1200; // when there are more, every second one leaves
    static constexpr size_t mostWorkloads = 200; // further ones are counted, and the record's log says so

    RunRecorder(const MachineConfig&, std::string programVersion, const Topology& host);

    // The machine that is being recorded, which lives until detach(). Before it starts.
    void attach(const Machine&);
    // Takes the last sample, the ending, the moves between engines and the log.
    void detach();

    // What the guest sent through COM1; called by one thread at a time. Returns the workload lines it completes, so
    // that whoever shows the run sees the same.
    std::vector<WorkloadEvent> serialOutput(std::span<const uint8_t>);

    void placementRequested(const Placement&);

    // To be called about once a second, at the start and at the end.
    MachineSample takeSample();

    RunRecord record() const;

private:
    void note(const WorkloadEvent&, const MachineSample&);
    void begin(const std::string& name, const MachineSample&);
    void keep(const MachineSample&);

    mutable std::mutex m_mutex; // of everything below; not held while the machine is asked
    const Machine* m_machine = nullptr;
    RunRecord m_record;
    MachineSample m_newest;
    uint64_t m_samplesTaken = 0;
    uint64_t m_stride = 1; // every how many-th sample is kept
    uint64_t m_workloadsLeftOut = 0;
    WorkloadWatch m_watch; // of the thread that calls serialOutput()
};

} // namespace namsan
