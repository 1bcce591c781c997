// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace namsan {

// How far a guest's workload is, as the guest itself says: "! DONE: kbuild 16 of 40 12.34 s".
struct WorkloadProgress {
    std::string name; // of the workload
    unsigned done = 0; // pieces of work: for kbuild, object files
    unsigned total = 0;
    double guestSeconds = 0; // since its line "! BEGIN", by the guest's own clock

    bool operator==(const WorkloadProgress&) const = default;
};

// What a complete line says of a workload's progress, if anything. What claims more done than there is to do says
// nothing.
std::optional<WorkloadProgress> parseProgressLine(std::string_view line);

} // namespace namsan
