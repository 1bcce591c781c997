// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"
#include "vmm/host/topology.h"

#include <functional>
#include <map>
#include <string>

namespace namsan {

// What decides whether a cell can be measured, beside the number of the host's CPUs. Tests put hosts in their place.
struct HostAbilities {
    std::function<Result<void>(const std::string& engine)> engine; // whether it can be used here
    std::function<Result<void>(const std::string& engine, unsigned vcpus)> vcpus; // whether it serves so many

    static HostAbilities ofThisHost();
};

inline constexpr const char* yardstick = "qemu"; // the engine that is none of Namsan's

// Whether the word can stand for a row: an engine that is always the same one, or the yardstick. Fails with a sentence.
Result<void> checkEngineName(const std::string&);

// The cells that this host can't fill, and why: a sentence each.
std::map<CellPlace, std::string> impossibleCells(const ExperimentSettings&, const Topology&, const HostAbilities&);

} // namespace namsan
