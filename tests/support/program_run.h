// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace namsan {

// What a run of the namsan program came to.
struct ProgramRun {
    int exitCode = -1; // -1: it was ended by a signal
    std::string output; // standard output and standard error together
    double seconds = 0; // by the host's monotonic clock
};

// Runs the namsan program of this build with these arguments and waits for its end. Standard input is empty.
ProgramRun runNamsan(const std::vector<std::string>& arguments);

// The folder of a guest in the user's cache, where resources/guests/make-guest put it.
std::filesystem::path guestFolder(const std::string& name);

// The whole file as text; empty where there is none.
std::string contentsOf(const std::string& path);

} // namespace namsan
