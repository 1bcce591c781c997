// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/result_table.h"
#include "app/paint/race_plot.h"

#include <QByteArray>

namespace namsan {

// An experiment's plot as a file, in light colours. Needs a QGuiApplication, for its fonts.
QByteArray plotAsSvg(const ResultTable&);
QByteArray plotAsPng(const ResultTable&);

// The same of a race's round.
QByteArray plotAsSvg(const RacePlotContent&, const std::string& title);
QByteArray plotAsPng(const RacePlotContent&);

} // namespace namsan
