// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"

#include <string>

namespace CLI {
class App;
}

namespace namsan {

// "namsan race": machines with the same guest and workload beside each other, in the window or without it.
class RaceCommand {
public:
    explicit RaceCommand(CLI::App& parser); // adds itself; lives as long as the parser is used

    bool chosen() const;
    ExitCode execute(const Program&) const;

private:
    Result<ExitCode> race(const Program&) const;

    CLI::App* m_command;
    RaceRequest m_request;
    std::string m_lanes = "1d,2s";
    bool m_headless = false;
};

} // namespace namsan
