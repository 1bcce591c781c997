// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/paint/series_mark.h"

#include <QPainter>
#include <QPolygonF>

namespace namsan {

void paintSeriesMark(QPainter& painter, size_t series, const QPointF& centre, double radius)
{
    constexpr size_t shapes = 4;
    const double wide = 1.3 * radius; // so that all look equally large
    switch (series % shapes) {
    case 0:
        painter.drawEllipse(centre, radius, radius);
        break;
    case 1:
        painter.drawPolygon(QPolygonF({ centre + QPointF(0, -wide), centre + QPointF(wide, 0),
            centre + QPointF(0, wide), centre + QPointF(-wide, 0) }));
        break;
    case 2:
        painter.drawPolygon(
            QPolygonF({ centre + QPointF(0, -wide), centre + QPointF(wide, radius), centre + QPointF(-wide, radius) }));
        break;
    default:
        painter.drawRect(QRectF(centre - QPointF(radius, radius), centre + QPointF(radius, radius)));
    }
}

} // namespace namsan
