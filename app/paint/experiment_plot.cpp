// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/paint/experiment_plot.h"

#include "app/lab/random_numbers.h"
#include "app/lab/result_text.h"
#include "app/paint/series_mark.h"

#include <QFontMetricsF>
#include <QLocale>
#include <QPainter>
#include <QPainterPath>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace namsan {

namespace {

QString toQt(const std::string& text)
{
    return QString::fromStdString(text);
}

// The next of 1, 2, 2.5 and 5 times a power of ten.
double roundUp(double value)
{
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double factor : { 1.0, 2.0, 2.5, 5.0 }) {
        if (value <= factor * power)
            return factor * power;
    }
    return 10 * power;
}

double largestIn(const ResultTable& table)
{
    double largest = 0;
    for (const ResultRow& row : table.rows) {
        for (const ResultCell& cell : row.cells) {
            for (const double value : cell.values)
                largest = std::max(largest, value);
        }
    }
    return largest;
}

// So far from the median that it catches the eye: three times what scatters normally (the median absolute deviation).
std::vector<bool> outliersIn(const ResultCell& cell)
{
    std::vector<bool> outliers(cell.values.size(), false);
    if (cell.values.size() < fewestForInterval)
        return outliers;
    std::vector<double> distances;
    for (const double value : cell.values)
        distances.push_back(std::abs(value - *cell.seconds));
    constexpr double ofNormal = 1.4826;
    constexpr double far = 3;
    const double limit = far * ofNormal * median(distances);
    for (size_t i = 0; i < distances.size(); ++i)
        outliers[i] = limit > 0 && distances[i] > limit;
    return outliers;
}

QFont scaled(QFont font, double factor, bool bold = false)
{
    if (font.pointSizeF() > 0)
        font.setPointSizeF(font.pointSizeF() * factor);
    else
        font.setPixelSize(std::max(1, static_cast<int>(std::lround(font.pixelSize() * factor))));
    font.setBold(bold);
    return font;
}

} // namespace

PlotColours PlotColours::light()
{
    return { QColor(0xff, 0xff, 0xff), QColor(0x22, 0x26, 0x2a), QColor(0x59, 0x61, 0x69), QColor(0xe4, 0xe7, 0xea),
        QColor(0x74, 0x7d, 0x86),
        { QColor(0x3f, 0x5b, 0xc0), QColor(0x8f, 0x64, 0x00), QColor(0x5f, 0x6b, 0x76), QColor(0x22, 0x26, 0x2a) } };
}

// em is the height of a line of text, which everything is measured by: 13 px text has lines of some 17 px.
struct ExperimentPlot::Frame {
    Frame(const QRectF& area, const ResultTable& table, const QFont& font)
        : em(QFontMetricsF(font).height())
        , top(roundUp(std::max(largestIn(table) * 1.04, 1e-3)))
    {
        const double left = QFontMetricsF(font).horizontalAdvance(toQt(secondsText(top))) + em;
        plot = area.adjusted(left, 2 * em, -em / 2, -2.4 * em);
        columnWidth = plot.width() / std::max<double>(1, static_cast<double>(table.columns.size()));
        cellWidth = columnWidth / std::max<double>(1, static_cast<double>(table.rows.size()));
    }

    double y(double seconds) const { return plot.bottom() - seconds / top * plot.height(); }
    double columnLeft(size_t column) const { return plot.left() + static_cast<double>(column) * columnWidth; }

    double em;
    double top; // seconds
    QRectF plot;
    double columnWidth = 0;
    double cellWidth = 0;
};

ExperimentPlot::ExperimentPlot(const ResultTable& table, PlotColours colours, QFont font)
    : m_table(table)
    , m_colours(std::move(colours))
    , m_font(std::move(font))
{
}

void ExperimentPlot::paint(QPainter& painter, const QRectF& area) const
{
    const Frame frame(area, m_table, m_font);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(area, m_colours.ground);
    painter.setFont(m_font);
    paintAxes(painter, frame);
    paintLegend(painter, frame);
    paintBase(painter, frame);
    for (size_t column = 0; column < m_table.columns.size(); ++column)
        paintColumn(painter, frame, column);
    painter.restore();
}

void ExperimentPlot::paintAxes(QPainter& painter, const Frame& frame) const
{
    const QRectF& plot = frame.plot;
    const int steps = plot.height() > 12 * frame.em ? 5 : 2;
    for (int step = 0; step <= steps; ++step) {
        const double seconds = frame.top * step / steps;
        const double y = frame.y(seconds);
        painter.setPen(QPen(m_colours.grid, 1));
        if (step > 0)
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
        painter.setPen(m_colours.secondary);
        const QRectF label(plot.left() - 20 * frame.em, y - frame.em / 2, 19.6 * frame.em, frame.em);
        painter.drawText(label, Qt::AlignRight | Qt::AlignVCenter,
            step == 0 ? QStringLiteral("0") : QLocale().toString(seconds, 'g', 4));
    }
    painter.setPen(QPen(m_colours.grid, 1));
    for (size_t column = 1; column < m_table.columns.size(); ++column)
        painter.drawLine(
            QPointF(frame.columnLeft(column), plot.top()), QPointF(frame.columnLeft(column), plot.bottom()));
    painter.setPen(QPen(m_colours.axis, 1));
    painter.drawLine(plot.bottomLeft(), plot.bottomRight());
    painter.drawLine(plot.topLeft(), plot.bottomLeft());
    painter.setPen(m_colours.secondary);
    painter.setFont(scaled(m_font, 0.85));
    painter.drawText(QRectF(plot.left() + frame.em / 3, plot.top(), plot.width(), frame.em), Qt::AlignLeft,
        QStringLiteral("guest seconds"));
    painter.setFont(m_font);
}

void ExperimentPlot::paintLegend(QPainter& painter, const Frame& frame) const
{
    double x = frame.plot.left();
    const double y = frame.plot.top() - 1.3 * frame.em;
    const auto write = [&](const QString& text) {
        painter.setPen(m_colours.text);
        const double width = QFontMetricsF(m_font).horizontalAdvance(text);
        painter.drawText(
            QRectF(x, y - frame.em, width + frame.em, 2 * frame.em), Qt::AlignLeft | Qt::AlignVCenter, text);
        x += width + 1.5 * frame.em;
    };
    for (size_t row = 0; row < m_table.rows.size(); ++row) {
        paintDot(painter, row, { x + frame.em / 3, y }, frame.em * 0.25);
        x += frame.em;
        write(toQt(m_table.rows[row].engine));
    }
    painter.fillRect(QRectF(x, y - frame.em * 0.1, frame.em, frame.em * 0.2), m_colours.text);
    x += 1.4 * frame.em;
    write(QStringLiteral("median and 95 % interval"));
}

void ExperimentPlot::paintBase(QPainter& painter, const Frame& frame) const
{
    for (const ResultRow& row : m_table.rows) {
        for (const ResultCell& cell : row.cells) {
            if (!cell.base || !cell.seconds)
                continue;
            const double y = frame.y(*cell.seconds);
            painter.setPen(QPen(m_colours.series[0], 1.3, Qt::DashLine));
            painter.drawLine(QPointF(frame.plot.left(), y), QPointF(frame.plot.right(), y));
            painter.setPen(m_colours.text);
            painter.setFont(scaled(m_font, 0.92));
            painter.drawText(
                QRectF(frame.plot.left(), y - 1.3 * frame.em, frame.plot.width() - frame.em / 3, 1.2 * frame.em),
                Qt::AlignRight | Qt::AlignVCenter,
                toQt(fmt::format("base: {}, {} s", m_table.baseName, secondsText(*cell.seconds))));
            painter.setFont(m_font);
        }
    }
}

void ExperimentPlot::paintColumn(QPainter& painter, const Frame& frame, size_t column) const
{
    size_t made = 0;
    size_t wanted = 0;
    for (size_t row = 0; row < m_table.rows.size(); ++row) {
        const ResultCell& cell = m_table.rows[row].cells[column];
        made += cell.made;
        wanted += cell.wanted;
        paintCell(painter, frame, row, column);
    }
    const QRectF name(
        frame.columnLeft(column), frame.plot.bottom() + frame.em * 0.2, frame.columnWidth, 1.1 * frame.em);
    painter.setPen(m_colours.text);
    painter.setFont(scaled(m_font, 1, true));
    painter.drawText(name, Qt::AlignCenter, toQt(m_table.columns[column]));
    painter.setPen(m_colours.secondary);
    painter.setFont(scaled(m_font, 0.85));
    painter.drawText(name.translated(0, 1.05 * frame.em), Qt::AlignCenter,
        wanted > 0 ? toQt(fmt::format("{} of {}", made, wanted)) : QStringLiteral("not possible here"));
    painter.setFont(m_font);
}

void ExperimentPlot::paintCell(QPainter& painter, const Frame& frame, size_t row, size_t column) const
{
    const ResultCell& cell = m_table.rows[row].cells[column];
    if (!cell.seconds)
        return;
    const double middle = frame.columnLeft(column) + frame.cellWidth * (static_cast<double>(row) + 0.38);
    const double jitter = std::min(0.55 * frame.em, frame.cellWidth / 6);
    const auto outliers = outliersIn(cell);
    for (size_t i = 0; i < cell.values.size(); ++i) {
        // By the run's number, so that a dot stays where it is when others come.
        RandomNumbers random(cell.repetitions[i]);
        const QPointF centre(middle + (2 * random.fraction() - 1) * jitter, frame.y(cell.values[i]));
        paintDot(painter, row, centre, 0.2 * frame.em);
        if (!outliers[i])
            continue;
        painter.setPen(QPen(m_colours.text, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(centre, 0.45 * frame.em, 0.45 * frame.em);
        painter.setFont(scaled(m_font, 0.85));
        painter.drawText(QRectF(centre.x() - 5 * frame.em, centre.y() - 1.6 * frame.em, 10 * frame.em, frame.em),
            Qt::AlignCenter, QStringLiteral("outlier, kept"));
        painter.setFont(m_font);
    }
    paintMedian(painter, frame, cell, middle + jitter + 0.9 * frame.em);
}

void ExperimentPlot::paintDot(QPainter& painter, size_t series, const QPointF& centre, double radius) const
{
    constexpr int opacity = 153; // 0.6
    QColor fill = m_colours.series[series % m_colours.series.size()];
    painter.setPen(QPen(fill, 1));
    fill.setAlpha(opacity);
    painter.setBrush(fill);
    paintSeriesMark(painter, series, centre, radius);
    painter.setBrush(Qt::NoBrush);
}

void ExperimentPlot::paintMedian(QPainter& painter, const Frame& frame, const ResultCell& cell, double x) const
{
    const double y = frame.y(*cell.seconds);
    const double half = 0.45 * frame.em;
    if (cell.interval) {
        const double cap = 0.25 * frame.em;
        painter.setPen(QPen(m_colours.text, 1.5));
        const double low = frame.y(cell.interval->low);
        const double high = frame.y(cell.interval->high);
        painter.drawLine(QPointF(x, low), QPointF(x, high));
        painter.drawLine(QPointF(x - cap, low), QPointF(x + cap, low));
        painter.drawLine(QPointF(x - cap, high), QPointF(x + cap, high));
    }
    painter.fillRect(QRectF(x - half, y - 0.1 * frame.em, 2 * half, 0.2 * frame.em), m_colours.text);
    painter.setPen(m_colours.text);
    painter.setFont(scaled(m_font, 0.92));
    const double above = cell.base ? 0.6 * frame.em : 0; // not on its own line
    painter.drawText(QRectF(x + half + 0.25 * frame.em, y - frame.em - above, 6 * frame.em, 2 * frame.em),
        Qt::AlignLeft | Qt::AlignVCenter, toQt(secondsLine(cell)));
    painter.setFont(m_font);
}

std::string ExperimentPlot::description() const
{
    std::string text;
    for (size_t row = 0; row < m_table.rows.size(); ++row) {
        for (size_t column = 0; column < m_table.columns.size(); ++column) {
            if (const ResultCell& cell = m_table.rows[row].cells[column]; cell.seconds)
                text += fmt::format("{}{} {} {} seconds, {} runs", text.empty() ? "" : "; ", m_table.rows[row].engine,
                    m_table.columns[column], secondsLine(cell), cell.runs);
        }
    }
    return text.empty() ? "No run has ended yet." : "Medians: " + text + ".";
}

} // namespace namsan
