// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPointF>

#include <cstddef>

class QPainter;

namespace namsan {

// The shape that tells a series or a lane from others without colour: disc, diamond, triangle, square, in turn. With
// the painter's pen and brush.
void paintSeriesMark(QPainter&, size_t series, const QPointF& centre, double radius);

} // namespace namsan
