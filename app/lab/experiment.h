// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/column.h"

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace namsan {

// What an experiment is asked to do. A name stands for these settings for ever.
struct ExperimentSettings {
    std::string name;
    std::string workload;
    std::string size;
    std::vector<std::string> engines; // rows: what --engine takes, or "qemu" for the yardstick
    std::vector<Column> columns;
    unsigned repetitions = 10;
    uint64_t seed = 1; // of the order of the runs, and of the intervals

    bool operator==(const ExperimentSettings&) const = default;
};

// A place in the table, by the settings' lists.
struct CellPlace {
    size_t engine = 0;
    size_t column = 0;

    auto operator<=>(const CellPlace&) const = default;
};

// A run that is to be made: the how-manieth of its cell, from 0.
struct PlannedRun {
    CellPlace cell;
    unsigned repetition = 0;

    auto operator<=>(const PlannedRun&) const = default;
};

enum class RunStatus {
    Ok,
    Failed, // the guest said so, crashed, or ran out of time
    Misplaced, // a thread was seen where it was not asked to be: it measured something else
};

// A run that is over. Only those that are Ok are counted.
struct ExperimentRun {
    PlannedRun planned;
    RunStatus status = RunStatus::Ok;
    double guestSeconds = 0; // by the guest's own clock
    double hostSeconds = 0; // between the guest's two lines, by the host's clock
    std::string engineName; // what really ran: "soft:translator", "QEMU emulator version 7.2.22"
    std::string startedAt; // ISO 8601, UTC
    std::string reason; // why it is not Ok: a sentence

    double drift() const { return hostSeconds > 0 ? (guestSeconds - hostSeconds) / hostSeconds : 0; }
    bool guestTimeOff() const; // the star of the 2019 table
};

struct HostDescription {
    std::string processor;
    std::string kernel;
    unsigned cpus = 0;
};

struct Experiment {
    int64_t id = 0; // of the store
    ExperimentSettings settings;
    std::string createdAt; // ISO 8601, UTC
    std::string programVersion;
    HostDescription host;
    std::vector<ExperimentRun> runs; // in the order in which they ended
    std::map<CellPlace, std::string> unavailable; // cells that this host cannot do, and why

    size_t runsWanted() const; // of the cells that the host can do
    bool finished() const;
};

// All runs of an experiment in the order in which they are made: round by round, and within a round the cells in an
// order that the seed shuffles, so that a host that grows slower or busier does so for all of them alike. The same
// settings give the same order on any machine, so that a continued experiment goes on in it.
std::vector<PlannedRun> runOrder(const ExperimentSettings&);

// A sentence where a name can't be used.
Result<void> checkExperimentName(const std::string&);

// What differs, as a sentence for somebody who uses a name again; empty: nothing.
std::string differenceBetween(const ExperimentSettings& kept, const ExperimentSettings& asked);

} // namespace namsan
