// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/paint/race_plot.h"

#include "app/lab/result_text.h"
#include "app/paint/series_mark.h"

#include <QFontMetricsF>
#include <QLocale>
#include <QPainter>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace namsan {

namespace {

QString toQt(const std::string& text)
{
    return QString::fromStdString(text);
}

// An axis from 0 with round steps: seven at most, and fewer where their figures would touch each other.
struct Scale {
    Scale(double largest, double room) // for so many figures
    {
        const double most = std::clamp(std::floor(room), 1.0, 7.0);
        const double power = std::pow(10, std::floor(std::log10(largest / most)));
        for (const double factor : { 1.0, 2.0, 5.0, 10.0 }) {
            step = factor * power;
            if (largest / step <= most)
                break;
        }
        steps = static_cast<int>(std::ceil(largest / step - 1e-9));
    }

    double top() const { return step * steps; }

    double step = 1;
    int steps = 1;
};

double largestSpeed(const RacePlotContent& content)
{
    double largest = 1;
    for (const RacePlotLane& lane : content.lanes) {
        for (const LaneTrack::Speed& speed : lane.speeds)
            largest = std::max(largest, speed.mips);
    }
    return largest;
}

double latestTime(const RacePlotContent& content)
{
    constexpr double least = 0.1;
    double latest = std::max(least, content.longest);
    for (const RacePlotLane& lane : content.lanes)
        latest = std::max(latest, lane.guestSeconds);
    return latest;
}

QPen lanePen(const QColor& colour, size_t lane, double width)
{
    QPen pen(colour, width);
    pen.setCapStyle(Qt::FlatCap);
    pen.setJoinStyle(Qt::MiterJoin);
    switch (lane % 4) { // dashes in pen widths
    case 1:
        pen.setDashPattern({ 3, 1.4 });
        break;
    case 2:
        pen.setDashPattern({ 1, 1 });
        break;
    case 3:
        pen.setDashPattern({ 3, 1, 1, 1 });
        break;
    default:
        break;
    }
    return pen;
}

QFont bold(QFont font)
{
    font.setWeight(QFont::DemiBold);
    return font;
}

unsigned doneOf(const RacePlotLane& lane)
{
    return lane.steps.empty() ? 0 : lane.steps.back().done;
}

} // namespace

// em is the height of a line of text, which everything is measured by.
struct RacePlot::Frame {
    Frame(const QRectF& area, const RacePlotContent& content, const QFont& font, double marginRight)
        : em(QFontMetricsF(font).height())
        , time(latestTime(content), area.width() / (6 * em))
        , value(content.total > 0 ? content.total : largestSpeed(content), (area.height() - 3.3 * em) / (1.2 * em))
    {
        const double left = QFontMetricsF(font).horizontalAdvance(QLocale().toString(value.top(), 'g', 4)) + 2.2 * em;
        plot = area.adjusted(left, 0.7 * em, -marginRight, -2.6 * em);
        right = area.right() - em;
    }

    QPointF at(double seconds, double height) const
    {
        return { plot.left() + seconds / time.top() * plot.width(),
            plot.bottom() - height / value.top() * plot.height() };
    }

    double em;
    Scale time;
    Scale value;
    QRectF plot;
    double right; // no text goes beyond
};

RacePlot::RacePlot(const RacePlotContent& content, PlotColours colours, QFont font)
    : m_content(content)
    , m_colours(std::move(colours))
    , m_font(std::move(font))
{
}

void RacePlot::paint(QPainter& painter, const QRectF& area) const
{
    const Frame frame = frameIn(area);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(m_font);
    painter.fillRect(frame.plot, m_colours.ground);
    paintAxes(painter, frame);
    for (size_t lane = 0; lane < m_content.lanes.size(); ++lane)
        paintLine(painter, frame, lane);
    paintLabels(painter, frame);
    painter.restore();
}

void RacePlot::paintAxes(QPainter& painter, const Frame& frame) const
{
    const QRectF& plot = frame.plot;
    const double em = frame.em;
    const auto figure = [](double value) { return QLocale().toString(value, 'g', 6); };
    for (int step = 0; step <= frame.time.steps; ++step) {
        const double x = frame.at(frame.time.step * step, 0).x();
        painter.setPen(QPen(m_colours.grid, 1));
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()));
        painter.setPen(m_colours.secondary);
        painter.drawText(
            QRectF(x - 4 * em, plot.bottom() + 0.2 * em, 8 * em, em), Qt::AlignCenter, figure(frame.time.step * step));
    }
    for (int step = 0; step <= frame.value.steps; ++step) {
        const double y = frame.at(0, frame.value.step * step).y();
        painter.setPen(QPen(m_colours.grid, 1));
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
        painter.setPen(m_colours.secondary);
        painter.drawText(QRectF(plot.left() - 10.4 * em, y - em / 2, 10 * em, em), Qt::AlignRight | Qt::AlignVCenter,
            figure(frame.value.step * step));
    }
    painter.setPen(QPen(m_colours.axis, 1.3));
    painter.drawLine(plot.bottomLeft(), plot.bottomRight());
    painter.drawLine(plot.topLeft(), plot.bottomLeft());
    painter.setPen(m_colours.secondary);
    painter.drawText(QRectF(plot.left(), plot.bottom() + 1.3 * em, plot.width(), em), Qt::AlignCenter,
        QStringLiteral("guest seconds since the start mark"));
    painter.save();
    painter.translate(plot.left(), plot.center().y());
    painter.rotate(-90);
    const double farLeft = QFontMetricsF(m_font).horizontalAdvance(figure(frame.value.top())) + 2 * em;
    painter.drawText(QRectF(-10 * em, -farLeft, 20 * em, em), Qt::AlignCenter,
        showsFiles() ? QStringLiteral("files done") : QStringLiteral("MIPS"));
    painter.restore();
}

void RacePlot::paintLine(QPainter& painter, const Frame& frame, size_t index) const
{
    const RacePlotLane& lane = m_content.lanes[index];
    if (!lane.begun)
        return;
    QPolygonF line;
    if (showsFiles()) {
        line.append(frame.at(0, 0));
        for (const LaneTrack::Step& step : lane.steps) {
            line.append({ frame.at(step.guestSeconds, 0).x(), line.back().y() });
            line.append(frame.at(step.guestSeconds, step.done));
        }
        line.append({ frame.at(lane.guestSeconds, 0).x(), line.back().y() });
    } else {
        for (const LaneTrack::Speed& speed : lane.speeds)
            line.append(frame.at(speed.guestSeconds, speed.mips));
    }
    const QColor colour = m_colours.series[index % m_colours.series.size()];
    painter.setBrush(Qt::NoBrush);
    painter.setPen(lanePen(colour, index, std::max(1.5, 0.14 * frame.em)));
    painter.drawPolyline(line);
}

std::string RacePlot::labelText(size_t index) const
{
    const RacePlotLane& lane = m_content.lanes[index];
    if (showsFiles())
        return fmt::format("{} {} {}", lane.name, doneOf(lane), doneOf(lane) == 1 ? "file" : "files");
    return fmt::format("{} {:.0f} MIPS", lane.name, lane.speeds.empty() ? 0 : lane.speeds.back().mips);
}

double RacePlot::labelWidth() const
{
    const QFontMetricsF metrics(bold(m_font));
    double widest = 0;
    for (size_t index = 0; index < m_content.lanes.size(); ++index)
        widest = std::max(widest, metrics.horizontalAdvance(toQt(labelText(index))));
    return widest + 2;
}

// The names stand within the plot as long as they find room there; then the plot leaves them some on its right.
RacePlot::Frame RacePlot::frameIn(const QRectF& area) const
{
    const Frame wide(area, m_content, m_font, QFontMetricsF(m_font).height());
    for (const Label& label : labels(wide)) {
        if (label.text.right() > wide.right)
            return { area, m_content, m_font, labelWidth() + 1.8 * wide.em };
    }
    return wide;
}

std::vector<RacePlot::Label> RacePlot::labels(const QRectF& area) const
{
    return labels(frameIn(area));
}

// Each beside the end of its line; pushed apart where they would cover each other.
std::vector<RacePlot::Label> RacePlot::labels(const Frame& frame) const
{
    std::vector<Label> labels;
    double left = 0;
    for (size_t index = 0; index < m_content.lanes.size(); ++index) {
        const RacePlotLane& lane = m_content.lanes[index];
        if (!lane.begun || (!showsFiles() && lane.speeds.empty()))
            continue;
        const QPointF end = showsFiles() ? frame.at(lane.guestSeconds, doneOf(lane))
                                         : frame.at(lane.speeds.back().guestSeconds, lane.speeds.back().mips);
        labels.push_back({ index, end, {} });
        left = std::max(left, end.x() + 0.8 * frame.em);
    }
    std::ranges::sort(labels, {}, [](const Label& label) { return label.end.y(); });
    const double width = labelWidth();
    double bottom = frame.plot.top() - 0.5 * frame.em;
    for (Label& label : labels) {
        label.text = QRectF(left, std::max(bottom, label.end.y() - 0.6 * frame.em), width, 1.2 * frame.em);
        bottom = label.text.bottom();
    }
    // What was pushed out below comes back up, and the others with it.
    double top = frame.plot.bottom();
    for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
        if (label->text.bottom() > top)
            label->text.moveBottom(top);
        top = label->text.top();
    }
    return labels;
}

void RacePlot::paintLabels(QPainter& painter, const Frame& frame) const
{
    const std::vector<Label> all = labels(frame);
    for (const Label& label : all) {
        const QColor colour = m_colours.series[label.lane % m_colours.series.size()];
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour);
        paintSeriesMark(painter, label.lane, label.end, 0.35 * frame.em);
        painter.setBrush(Qt::NoBrush);
        // From a line that ends elsewhere to its name; faint and dotted, so that nobody takes it for the lane's own.
        const QPointF name(label.text.left() - 0.2 * frame.em, label.text.center().y());
        if (QLineF(label.end, name).length() > frame.em) {
            painter.setPen(QPen(m_colours.axis, 1, Qt::DotLine));
            painter.drawLine(label.end, name);
        }
        painter.setPen(m_colours.text);
        painter.setFont(bold(m_font));
        painter.drawText(label.text, Qt::AlignLeft | Qt::AlignVCenter, toQt(labelText(label.lane)));
    }
    painter.setFont(m_font);
    paintLead(painter, frame, all);
}

std::string RacePlot::leadText() const
{
    if (!showsFiles() || m_content.lanes.size() != 2 || !m_content.lanes[0].begun || !m_content.lanes[1].begun)
        return {};
    const unsigned first = doneOf(m_content.lanes[0]);
    const unsigned second = doneOf(m_content.lanes[1]);
    if (first == second)
        return {};
    const unsigned lead = std::max(first, second) - std::min(first, second);
    const std::string& leader = m_content.lanes[first > second ? 0 : 1].name;
    return fmt::format("{} leads by {} {}", leader.substr(0, leader.find(' ')), lead, lead == 1 ? "file" : "files");
}

// A bracket from one line's end to the other's, right of the names.
void RacePlot::paintLead(QPainter& painter, const Frame& frame, const std::vector<Label>& all) const
{
    const std::string text = leadText();
    if (text.empty() || all.size() != 2)
        return;
    const double x = std::max(all[0].text.right(), all[1].text.right()) + frame.em;
    const double high = all[0].end.y();
    const double low = all[1].end.y();
    const double cap = 0.3 * frame.em;
    const bool room = x + 1.2 * frame.em + QFontMetricsF(m_font).horizontalAdvance(toQt(text)) < frame.right;
    if (!room || low - high < 1.2 * frame.em)
        return;
    painter.setPen(QPen(m_colours.text, 1.3));
    painter.drawLine(QPointF(x, high), QPointF(x, low));
    painter.drawLine(QPointF(x - cap, high), QPointF(x + cap, high));
    painter.drawLine(QPointF(x - cap, low), QPointF(x + cap, low));
    painter.drawText(QRectF(x + 0.8 * frame.em, (high + low) / 2 - frame.em, 20 * frame.em, 2 * frame.em),
        Qt::AlignLeft | Qt::AlignVCenter, toQt(text));
}

std::string RacePlot::description() const
{
    std::string text;
    for (size_t index = 0; index < m_content.lanes.size(); ++index) {
        const RacePlotLane& lane = m_content.lanes[index];
        if (lane.begun)
            text += fmt::format("{}{} after {} guest seconds", text.empty() ? "" : "; ", labelText(index),
                secondsText(lane.guestSeconds));
    }
    if (const std::string lead = leadText(); !lead.empty())
        text += "; " + lead;
    return text.empty() ? "No lane has left its mark yet." : text + ".";
}

} // namespace namsan
