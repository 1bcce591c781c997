// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/machine/machine_config.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

// A guest that resources/guests/make-guest has made from packages and that can be run by its name.
struct CachedGuest {
    std::string title; // for people
    MachineConfig config;
    std::map<std::string, std::string> workloads; // name, and what it adds to the kernel's command line
};

// The guests in the user's cache: one folder each, described by guest.json in it.
class GuestCache {
public:
    explicit GuestCache(std::filesystem::path folder);
    // XDG Base Directory Specification: $XDG_CACHE_HOME, or ~/.cache.
    static std::filesystem::path defaultFolder();

    const std::filesystem::path& folder() const { return m_folder; }
    std::vector<std::string> names() const;

    // Fails with a sentence where the guest has not been made (it tells how to), or its description is damaged.
    Result<CachedGuest> find(std::string_view name) const;

private:
    std::filesystem::path m_folder;
};

} // namespace namsan
