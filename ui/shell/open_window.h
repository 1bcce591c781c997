// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/run_orders.h"
#include "ui/common/theme.h"
#include "ui/shell/main_window.h"

#include <QString>

#include <memory>

class QApplication;

namespace namsan {

struct WindowOptions {
    ThemeChoice theme = ThemeChoice::System;
    QString screenshot; // a picture of the window at the end of the run; empty: none
    MachineAgain again; // makes the machine anew for "Start again"; empty: MachineController::create() of its config
};

// Opens the window of a machine, starts the machine, and runs the program until the window is closed or the machine's
// orders are fulfilled. Concludes the run, says on the standard error stream what there is to say, and returns the
// outcome's code. Main thread.
ExitCode runInWindow(QApplication&, std::unique_ptr<MachineController>, const WindowOptions&);

} // namespace namsan
