// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/paint/race_plot.h"

#include "app/paint/plot_export.h"

#include <gtest/gtest.h>

#include <QFontMetricsF>
#include <QImage>

#include <algorithm>

namespace namsan {

namespace {

RacePlotLane laneAt(const std::string& name, double seconds, unsigned done)
{
    RacePlotLane lane;
    lane.name = name;
    lane.begun = true;
    lane.guestSeconds = seconds;
    lane.steps = { { seconds / 2, done / 2 }, { seconds, done } };
    lane.speeds = { { 0, 100 }, { seconds, 100.0 + done } };
    return lane;
}

// Names stand apart, within the picture, and right of where every line ends.
void expectNamesApart(const RacePlotContent& content, const QSizeF& size)
{
    const QFont font(QStringLiteral("Noto Sans"));
    const RacePlot plot(content, PlotColours::light(), font);
    const QRectF area(QPointF(0, 0), size);
    const auto labels = plot.labels(area);
    ASSERT_EQ(labels.size(), content.lanes.size());
    double lastEnd = 0;
    for (const RacePlot::Label& label : labels)
        lastEnd = std::max(lastEnd, label.end.x());
    for (size_t i = 0; i < labels.size(); ++i) {
        EXPECT_GT(labels[i].text.left(), lastEnd);
        EXPECT_TRUE(area.contains(labels[i].text)) << labels[i].text.right() << " of " << area.right();
        for (size_t other = 0; other < i; ++other)
            EXPECT_FALSE(labels[i].text.intersects(labels[other].text)) << i << " and " << other;
    }
}

} // namespace

// On a desktop, in the least window, and at all moments of a race.
TEST(RacePlotTest, NamesCoverNeitherLinesNorEachOther)
{
    const double line = QFontMetricsF(QFont(QStringLiteral("Noto Sans"))).height();
    for (const QSizeF size : { QSizeF(60, 18) * line, QSizeF(24, 9) * line }) {
        for (const double seconds : { 0.5, 20.0, 45.0, 59.9 }) {
            for (const unsigned total : { 40U, 0U }) { // files, or their speed
                RacePlotContent content { { laneAt("A 1(d)", seconds, 17), laneAt("B 2(s)", seconds, 17),
                                              laneAt("C 2(d)", seconds, 18), laneAt("D 4(s)", seconds, 16) },
                    total, 60 };
                expectNamesApart(content, size);
                for (RacePlotLane& lane : content.lanes) { // all at the bottom, then all at the top
                    lane.steps.clear();
                    lane.speeds.back().mips = 0;
                }
                expectNamesApart(content, size);
                content.lanes = { laneAt("A 1(d)", seconds / 3, 40), laneAt("B 2(s)", seconds, 40),
                    laneAt("C 2(d)", seconds / 2, 39), laneAt("D 4(s)", seconds, 38) };
                expectNamesApart(content, size);
            }
        }
    }
}

TEST(RacePlotTest, IsExportedAsAPicture)
{
    const RacePlotContent content { { laneAt("A 1(d)", 20, 17), laneAt("B 2(s)", 21, 26) }, 40, 60 };
    const QByteArray svg = plotAsSvg(content, "kbuild");
    EXPECT_TRUE(svg.contains("<title>kbuild</title>")) << svg.left(400).constData();
    EXPECT_TRUE(svg.contains("B leads by 9 files")) << svg.left(800).constData();
    const QImage image = QImage::fromData(plotAsPng(content), "PNG");
    EXPECT_EQ(image.size(), QSize(2400, 960));
    EXPECT_EQ(image.pixelColor(1, 1), PlotColours::light().ground);
}

// Kept for people to look at, where NAMSAN_PICTURES names a folder.
TEST(RacePlotTest, ShowsFourLanesOfWhichTwoAreOver)
{
    const RacePlotContent content { { laneAt("A 1(d)", 58.9, 39), laneAt("B 2(s)", 33.6, 40),
                                        laneAt("C 2(d)", 34.5, 40), laneAt("D 4(s)", 58.9, 38) },
        40, 58.9 };
    const QByteArray png = plotAsPng(content);
    EXPECT_FALSE(png.isEmpty());
    const QString folder = qEnvironmentVariable("NAMSAN_PICTURES");
    EXPECT_TRUE(folder.isEmpty() || QImage::fromData(png, "PNG").save(folder + "/race-plot.png"));
}

} // namespace namsan
