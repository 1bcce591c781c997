// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/library/guest_recipes.h"
#include "ui/common/theme.h"

#include <string>
#include <vector>

class QApplication;

namespace namsan {

// Asks on the first screen what is to be done, makes the guest that it takes, and gives the command line that does it;
// nothing where the window was closed, or where all has been done: experiments are composed and measured in their own
// window. Main thread.
std::vector<std::string> askWhatToDo(QApplication&, const GuestRecipes&, ThemeChoice = ThemeChoice::System);

} // namespace namsan
