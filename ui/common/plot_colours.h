// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/paint/experiment_plot.h"

#include <QPalette>

namespace namsan {

// What plots are painted with in the window, by its theme. Exports use PlotColours::light().
PlotColours plotColours(const QPalette&);

} // namespace namsan
