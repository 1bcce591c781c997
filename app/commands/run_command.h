// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"
#include "app/library/guest_cache.h"
#include "vmm/base/result.h"

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace namsan {

// What a command line asked for.
struct RunRequest {
    MachineConfig config;
    RunOrders orders;
    bool headless = false;
};

// "namsan run": one machine, in the window or without it. The options of the machine come from the configuration's
// schema.
class RunCommand {
public:
    explicit RunCommand(CLI::App& parser); // adds itself; lives as long as the parser is used

    bool chosen() const;
    // After parsing. Fails with a sentence for the user.
    Result<RunRequest> request(const GuestCache&) const;
    ExitCode execute(const Program&) const;

private:
    Result<void> takeGuest(const GuestCache&, RunRequest&) const;
    Result<void> takeWorkload(const CachedGuest&, RunRequest&) const;
    Result<void> takeUrl(const CachedGuest&, RunRequest&) const;
    Result<void> takeFields(RunRequest&) const;
    Result<void> takeOrders(RunRequest&) const;

    CLI::App* m_command;
    std::string m_guest;
    std::string m_size;
    std::string m_url;
    std::map<std::string, std::string, std::less<>> m_values; // of the schema's options, by key
    std::map<std::string, std::vector<std::string>, std::less<>> m_lists; // of those that may be repeated
    std::map<std::string, bool, std::less<>> m_switches;
    RunOrders m_orders;
    std::vector<std::string> m_typing;
    std::vector<std::string> m_moves;
    std::string m_timeout;
    bool m_headless = false;
};

} // namespace namsan
