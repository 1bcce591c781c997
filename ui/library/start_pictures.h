// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/common/theme.h"

#include <QPainter>
#include <QSizeF>

namespace namsan {

// The drawings on the first screen's cards, each in a field of startPictureSize with the origin at its top left.
constexpr QSizeF startPictureSize { 212, 164 };

void paintBrowserPicture(QPainter&, const ThemeTokens&);
void paintPlacementPicture(QPainter&, const ThemeTokens&);
void paintMeasuringPicture(QPainter&, const ThemeTokens&);

} // namespace namsan
