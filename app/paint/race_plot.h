// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/lane_track.h"
#include "app/paint/experiment_plot.h"

#include <string>
#include <vector>

namespace namsan {

// What the plot of a race shows of one lane.
struct RacePlotLane {
    std::string name; // "A 1(d)"
    std::vector<LaneTrack::Step> steps; // what its guest told of its progress
    std::vector<LaneTrack::Speed> speeds; // what is shown of guests that tell nothing
    double guestSeconds = 0; // how far it is
    bool begun = false; // it has left its mark
};

struct RacePlotContent {
    std::vector<RacePlotLane> lanes;
    unsigned total = 0; // pieces of work; 0: the guests tell of no progress, and their speed is shown
    double longest = 0; // guest seconds of the slowest lane so far in any round
};

// Paints each lane's files done over its guest seconds since the start mark, as steps with a name at their end; where
// guests tell of none, their speed. For the window and for the stage; all sizes follow the font's.
class RacePlot {
public:
    RacePlot(const RacePlotContent&, PlotColours, QFont);

    void paint(QPainter&, const QRectF& area) const;

    // The plot in one sentence, for those who do not see it.
    std::string description() const;

    // A lane's name and figure, in a column right of where all lines end: it covers no line and no other name.
    struct Label {
        size_t lane;
        QPointF end; // of the lane's line
        QRectF text;
    };
    std::vector<Label> labels(const QRectF& area) const; // from above

private:
    struct Frame; // where things are
    Frame frameIn(const QRectF& area) const;
    bool showsFiles() const { return m_content.total > 0; }
    void paintAxes(QPainter&, const Frame&) const;
    void paintLine(QPainter&, const Frame&, size_t lane) const;
    std::vector<Label> labels(const Frame&) const;
    double labelWidth() const;
    void paintLabels(QPainter&, const Frame&) const;
    void paintLead(QPainter&, const Frame&, const std::vector<Label>&) const;
    std::string labelText(size_t lane) const;
    std::string leadText() const; // of two lanes, one of which is ahead; otherwise empty

    const RacePlotContent& m_content;
    PlotColours m_colours;
    QFont m_font;
};

} // namespace namsan
