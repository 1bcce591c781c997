// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"

#include <span>
#include <string>

namespace namsan {

// Does what the command line says and returns the program's exit code. Arguments are without the program's name.
ExitCode runCommandLine(const std::vector<std::string>& arguments, const Program&);

} // namespace namsan
