// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"
#include "app/lab/experiment.h"
#include "app/lab/result_table.h"

#include <string>

namespace namsan {

class ExperimentStore;

// Runs or continues the experiment on this host and prints its table. Fails with a sentence where the name stands for
// other settings, the guest is missing, another experiment is being measured, or the host cannot go on.
Result<ExitCode> runExperiment(const Program&, ExperimentStore&, const ExperimentSettings&);

// The table's plot, as SVG or PNG. Fails with a sentence for another format.
Result<ExitCode> exportPlot(const Program&, const std::string& format, const ResultTable&);

} // namespace namsan
