// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/result_table.h"

#include <QByteArray>

namespace namsan {

// An experiment's plot as a file, in light colours. Needs a QGuiApplication, for its fonts.
QByteArray plotAsSvg(const ResultTable&);
QByteArray plotAsPng(const ResultTable&);

} // namespace namsan
