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

void paintPlot(QPaintDevice& device, const ResultTable& table)
{
    QFont font(QStringLiteral("Noto Sans"));
    font.setPixelSize(fontPixels);
    QPainter painter(&device);
    ExperimentPlot(table, PlotColours::light(), font).paint(painter, QRectF(QPointF(0, 0), plotSize));
}

} // namespace

QByteArray plotAsPng(const ResultTable& table)
{
    constexpr int dotsPerUnit = 2; // sharp on paper and on dense screens
    QImage image(plotSize * dotsPerUnit, QImage::Format_RGB32);
    image.setDevicePixelRatio(dotsPerUnit);
    paintPlot(image, table);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return bytes;
}

QByteArray plotAsSvg(const ResultTable& table)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(plotSize);
    generator.setViewBox(QRect(QPoint(0, 0), plotSize));
    generator.setTitle(QString::fromStdString(table.title));
    generator.setDescription(QString::fromStdString(ExperimentPlot(table, PlotColours::light(), {}).description()));
    paintPlot(generator, table);
    return bytes;
}

} // namespace namsan
