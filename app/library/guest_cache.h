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
    std::map<std::string, std::string> workloads = {}; // name, and what it adds to the kernel's command line
    std::string workload = {}; // the one that it runs unless another one is asked for; empty: none
    std::map<std::string, std::string> sizes = {}; // of the workload, likewise
    std::string url = {}; // what goes before a page's address on the kernel's command line; empty: it shows no pages
};

// One of the files that a guest is made of.
struct GuestFile {
    std::filesystem::path path;
    uint64_t bytes; // 0: it is missing
    std::string digest; // SHA-256 when it was made
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
    // None where the guest was put there without make-guest.
    Result<std::vector<GuestFile>> files(std::string_view name) const;
    // Reads all of its files. Fails with a sentence where one is not what was made.
    Result<void> verify(std::string_view name) const;

private:
    std::filesystem::path m_folder;
};

} // namespace namsan
