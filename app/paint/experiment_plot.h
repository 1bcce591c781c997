// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/result_table.h"

#include <QColor>
#include <QFont>
#include <QRectF>

#include <array>

class QPainter;

namespace namsan {

struct PlotColours {
    QColor ground;
    QColor text;
    QColor secondary; // text
    QColor grid;
    QColor axis;
    std::array<QColor, 4> series; // one for each engine, in turn

    static PlotColours light(); // exports use these
};

// Paints every run of a table as a dot, with the median of each cell and its interval growing beside them: in the
// window, and for exports. The vertical axis begins at 0 and is in guest seconds; all sizes follow the font's.
class ExperimentPlot {
public:
    ExperimentPlot(const ResultTable&, PlotColours, QFont);

    void paint(QPainter&, const QRectF& area) const;

    // The plot in one sentence, for those who do not see it.
    std::string description() const;

private:
    struct Frame; // where things are
    void paintAxes(QPainter&, const Frame&) const;
    void paintLegend(QPainter&, const Frame&) const;
    void paintBase(QPainter&, const Frame&) const;
    void paintColumn(QPainter&, const Frame&, size_t column) const;
    void paintCell(QPainter&, const Frame&, size_t row, size_t column) const;
    void paintDot(QPainter&, size_t series, const QPointF& centre, double radius) const;
    void paintMedian(QPainter&, const Frame&, const ResultCell&, double x) const;

    const ResultTable& m_table;
    PlotColours m_colours;
    QFont m_font;
};

} // namespace namsan
