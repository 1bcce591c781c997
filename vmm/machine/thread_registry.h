// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/host/placement.h"
#include "vmm/machine/machine_sample.h"

#include <mutex>
#include <vector>

namespace namsan {

// The threads of one VM: where each was asked to run, what the kernel granted, and where each was seen. A thread is
// listed by its role before it exists, so that a placement can be asked for at any time. All calls from any thread.
class ThreadRegistry {
public:
    // The VMM, that many vCPUs, and helpers of the VMM, which share its place, by their roles.
    explicit ThreadRegistry(unsigned vcpus, const std::vector<std::string>& helpers = {});

    // Called by the thread itself when it begins: it is moved to the place that was asked for it.
    void vmmBegins();
    void vcpuBegins(unsigned index);
    void helperBegins(unsigned index);

    // Called before the threads end: keeps their last figures.
    void threadsEnd();

    // Moves all threads that exist and remembers the places for those that don't yet. Where the host does not allow
    // one of them, none has moved and the error says why.
    Result<void> place(const Placement&);
    Placement requested() const;

    // Looks where each thread is now; the share of looks is what the record calls "observed".
    void observe();

    std::vector<ThreadFigures> figures() const;

private:
    struct Entry {
        ThreadFigures figures;
        std::chrono::nanoseconds cpuTimeAtLastLook {};
    };

    void begins(Entry&);
    static void refresh(Entry&);
    std::optional<LogicalCpu> placeFor(size_t entry, const Placement&) const;

    mutable std::mutex m_mutex;
    const size_t m_vcpus;
    mutable std::vector<Entry> m_entries; // the VMM, the vCPUs, the helpers
    Placement m_requested;
};

} // namespace namsan
