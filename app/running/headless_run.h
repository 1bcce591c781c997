// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/machine_factory.h"
#include "app/running/run_orders.h"
#include "vmm/host/topology.h"

#include <functional>
#include <string>

namespace namsan {

// Runs a machine without a window until it ends, what was ordered has happened, or SIGINT, SIGTERM or SIGHUP comes;
// then writes what is to be written. Each failure is told to `say` in one sentence.
//
// The calling thread waits in one place for everything: the machine's wakes, signals, and standard input. Signals are
// taken from a descriptor, so they are blocked in this thread and those that the machine makes, until the run is over.
ExitCode runHeadless(const MachineConfig&, const RunOrders&, const Topology&, const MachineFactory&,
    const std::function<void(const std::string&)>& say);

} // namespace namsan
