// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"

#include <string>

namespace CLI {
class App;
}

namespace namsan {

class GuestCache;

// "namsan guest": the guests that can be run by name: which there are, making them, and their files.
class GuestCommand {
public:
    explicit GuestCommand(CLI::App& parser); // adds itself; lives as long as the parser is used

    bool chosen() const;
    ExitCode execute(const Program&) const;

private:
    ExitCode list(const GuestCache&, const Program&) const;
    ExitCode make(const GuestCache&, const Program&) const;
    ExitCode files(const GuestCache&, const Program&) const;

    CLI::App* m_command;
    CLI::App* m_list;
    CLI::App* m_make;
    CLI::App* m_files;
    std::string m_name;
    bool m_refresh = false;
};

} // namespace namsan
