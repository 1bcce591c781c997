// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"

#include <string>
#include <string_view>

namespace namsan {

// What a run's record says of it, as far as a table needs it: whether the workload came to its end, its times, and
// whether every thread was only seen where it was asked to be. The record is that of "namsan run --record", or one with
// the same keys of another machine. why is what was said about a run that did not end well; it may be empty.
//
// Only status, times, engineName, startedAt and reason are filled in.
ExperimentRun judgeRun(std::string_view record, std::string_view workload, std::string_view why);

} // namespace namsan
