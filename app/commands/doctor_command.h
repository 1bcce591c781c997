// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"

namespace CLI {
class App;
}

namespace namsan {

// "namsan doctor": what this host offers to virtual machines, and what is missing.
class DoctorCommand {
public:
    explicit DoctorCommand(CLI::App& parser); // adds itself; lives as long as the parser is used

    bool chosen() const;
    ExitCode execute(const Program&) const;

private:
    CLI::App* m_command;
};

} // namespace namsan
