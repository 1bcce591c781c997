// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/race.h"
#include "app/library/guest_recipes.h"
#include "app/running/machine_factory.h"
#include "app/running/run_orders.h"
#include "vmm/machine/machine_config.h"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace namsan {

// What the window is opened with.
struct WindowRequest {
    MachineConfig config; // the machine that starts in it
    RunOrders orders;
};

// What the window of a race is opened with.
struct RaceRequest {
    RaceSettings settings;
    std::string record; // JSON of the race when it is over; empty: none
    std::string windowScreenshot; // PNG of the window at the end of the race; empty: none
};

// What the commands need of the program around them. The app library knows no widgets, so main() lends it the window.
struct Program {
    std::function<ExitCode(const WindowRequest&)> openWindow;
    MachineFactory makeMachine;
    std::ostream& output;
    std::ostream& errors; // one sentence a line
    // Asks with the first screen, and gives the command line for what was chosen; nothing where that is all.
    std::function<std::vector<std::string>()> askWhatToDo = {};
    std::function<ExitCode(const RaceRequest&)> openRace = {}; // as openWindow, for races
    GuestRecipes recipes = GuestRecipes({}); // of the guests that can be made when they are missing
};

} // namespace namsan
