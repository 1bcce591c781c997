// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"
#include "app/running/race_runner.h"

#include <string>

namespace namsan {

// Holds the race without a window and prints its table; a line for each round goes to the program's errors. The record
// is a file for JSON, or empty. Fails with a sentence where something else is being measured, or the record can't be
// written.
Result<ExitCode> raceHeadless(const Program&, RaceSetup, const std::string& record);

// What the program returns for a race that has come to its end.
ExitCode exitCodeOf(const Race&);

// Writes raceAsJson() to the file. Fails with a sentence.
Result<void> writeRaceRecord(const RaceRunner&, const std::string& path);

} // namespace namsan
