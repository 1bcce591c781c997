// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/library/guest_cache.h"
#include "vmm/base/result.h"

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

struct WorkloadSize {
    std::string_view name; // as --size takes it
    std::string_view append; // to the kernel's command line
    std::chrono::seconds limit; // of a run: what needs longer hangs
};

// A fixed amount of work that a guest does between its lines "! BEGIN: NAME" and "! PERF: NAME N s ok".
struct Workload {
    std::string_view name; // on the command line, in the guest's lines and in its guest.json
    std::string_view title; // for people
    std::string_view summary; // what it stresses, in a sentence
    std::string_view guest;
    std::string_view jobsArgument; // of the kernel's command line, followed by the number of vCPUs; empty: none
    std::span<const WorkloadSize> sizes;

    // Fails with a sentence that lists the sizes.
    Result<WorkloadSize> size(std::string_view name) const;
};

std::span<const Workload> allWorkloads();

// Fails with a sentence that lists the names.
Result<Workload> findWorkload(std::string_view name);

// The machine that does this work, on so many vCPUs; engine and placement are still to be said. Fails with a sentence
// where the guest has not been made (it tells how) or does not know the workload.
Result<MachineConfig> configFor(const Workload&, const WorkloadSize&, unsigned vcpus, const GuestCache&);

} // namespace namsan
