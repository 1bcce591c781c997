// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/machine/line_splitter.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace namsan {

// The guest's line "! BEGIN: NAME".
struct WorkloadBegan {
    std::string name;

    bool operator==(const WorkloadBegan&) const = default;
};

// The guest's line "! PERF: NAME N s ok" (or "failed").
struct WorkloadEnded {
    std::string name;
    double guestSeconds; // N
    bool ok;

    bool operator==(const WorkloadEnded&) const = default;
};

using WorkloadEvent = std::variant<WorkloadBegan, WorkloadEnded>;

// What a complete line says of a workload, if anything. The line begins with the exclamation mark: an echoed command
// that holds the words does not count. Names are printable ASCII of at most 64 characters, and N is a plain decimal
// number.
std::optional<WorkloadEvent> parseWorkloadLine(std::string_view line);

// Finds the workload lines in a serial byte stream of any origin.
class WorkloadWatch {
public:
    std::vector<WorkloadEvent> feed(std::span<const uint8_t> bytes);

private:
    LineSplitter m_lines;
};

} // namespace namsan
