// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/race.h"
#include "app/lab/race_lanes.h"
#include "app/library/guest_cache.h"
#include "app/running/machine_factory.h"
#include "vmm/machine/machine_config.h"

#include <chrono>
#include <filesystem>
#include <vector>

namespace namsan {

// Everything that a race needs of this host.
struct RaceSetup {
    RaceSettings settings;
    Topology host;
    LanePlan plan;
    std::vector<MachineConfig> machines; // one for each lane, with engine and placement
    std::chrono::seconds limit {}; // of each machine's run: what needs longer hangs
    MachineFactory factory;
    std::filesystem::path lockFolder; // held while the race goes on, as by experiments; empty: nothing is held
};

// Fails with a sentence where the race is not possible on this host, or its guest has not been made.
Result<RaceSetup> prepareRace(
    const RaceSettings&, const Topology&, const GuestCache&, const MachineFactory&, std::filesystem::path lockFolder);

} // namespace namsan
