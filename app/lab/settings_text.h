// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"

#include <string>
#include <string_view>

namespace namsan {

// An experiment's settings as the archive keeps them: JSON. Reading fails where a part is missing or no settings at
// all.
std::string settingsToText(const ExperimentSettings&);
Result<ExperimentSettings> settingsFromText(const std::string&);

std::string_view statusToText(RunStatus); // "ok", "failed", "misplaced"
RunStatus statusFromText(std::string_view);

} // namespace namsan
