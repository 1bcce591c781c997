// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"
#include "ui/common/theme.h"
#include "ui/race/race_window.h"

class QApplication;

namespace namsan {

// Opens the window of a race, starts the race, and runs the program until the window is closed; where nobody sees the
// window or a picture of it was asked for, until the race is over. Main thread.
ExitCode raceInWindow(QApplication&, const RaceRequest&, const MachineFactory&, ThemeChoice = ThemeChoice::System);

// The maker of races with this program's guests.
RaceMaker raceMaker(const Topology&, const MachineFactory&);

} // namespace namsan
