// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/paint/plot_export.h"

#include "app/paint/experiment_plot.h"

#include <QBuffer>
#include <QImage>
#include <QPainter>
#include <QSvgGenerator>

namespace namsan {

namespace {

constexpr QSize plotSize { 1200, 480 };
constexpr int fontPixels = 13;

// Plot is an ExperimentPlot or a RacePlot, made of what it shows, colours and a font.
template <class Plot, class Content> void paintPlot(QPaintDevice& device, const Content& content)
{
    QFont font(QStringLiteral("Noto Sans"));
    font.setPixelSize(fontPixels);
    QPainter painter(&device);
    const QRectF area(QPointF(0, 0), plotSize);
    painter.fillRect(area, PlotColours::light().ground);
    Plot(content, PlotColours::light(), font).paint(painter, area);
}

template <class Plot, class Content> QByteArray asPng(const Content& content)
{
    constexpr int dotsPerUnit = 2; // sharp on paper and on dense screens
    QImage image(plotSize * dotsPerUnit, QImage::Format_RGB32);
    image.setDevicePixelRatio(dotsPerUnit);
    paintPlot<Plot>(image, content);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return bytes;
}

template <class Plot, class Content> QByteArray asSvg(const Content& content, const std::string& title)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(plotSize);
    generator.setViewBox(QRect(QPoint(0, 0), plotSize));
    generator.setTitle(QString::fromStdString(title));
    generator.setDescription(QString::fromStdString(Plot(content, PlotColours::light(), {}).description()));
    paintPlot<Plot>(generator, content);
    return bytes;
}

} // namespace

QByteArray plotAsPng(const ResultTable& table)
{
    return asPng<ExperimentPlot>(table);
}

QByteArray plotAsSvg(const ResultTable& table)
{
    return asSvg<ExperimentPlot>(table, table.title);
}

QByteArray plotAsPng(const RacePlotContent& content)
{
    return asPng<RacePlot>(content);
}

QByteArray plotAsSvg(const RacePlotContent& content, const std::string& title)
{
    return asSvg<RacePlot>(content, title);
}

} // namespace namsan
