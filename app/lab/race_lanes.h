// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/column.h"
#include "vmm/host/topology.h"

#include <string>
#include <vector>

namespace namsan {

// Where the lanes of a race run on this host.
struct LanePlan {
    std::vector<Placement> placements; // one for each lane
    bool overlapping = false; // a host CPU belongs to several lanes: at the same time they hinder each other
    bool sharingCores = false; // no CPU does, but a core (SMT siblings) does
    std::string warning; // what that means for the figures, in a sentence or two; empty: nothing is to be said
};

// Gives each lane host CPUs of its own, lane by lane, where there are enough. Otherwise every lane is placed as if it
// were alone. Fails with a sentence where one lane alone needs more CPUs than there are.
Result<LanePlan> planLanes(const Topology&, const std::vector<Column>& lanes);

// How many host CPUs such a lane keeps busy.
unsigned cpusOf(const Column&);

// The map that parsePlacement() takes, CPU by CPU: a name such as "1(s)" would mean the host's first CPUs.
std::string placementMap(const Placement&);

// Lanes go by letters: 0 is "A".
char laneLetter(size_t lane);

// "A 1(d)".
std::string laneName(size_t lane, const Column&);

} // namespace namsan
