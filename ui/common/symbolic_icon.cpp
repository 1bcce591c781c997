// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/symbolic_icon.h"

#include <QFile>
#include <QGuiApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPalette>
#include <QSvgRenderer>

// The linker leaves the resources of a static library out unless something names them; the macro wants no namespace.
static void loadIcons()
{
    Q_INIT_RESOURCE(icons);
}

namespace namsan {

namespace {

QByteArray drawing(const QString& name)
{
    loadIcons();
    QFile file(QStringLiteral(":/namsan/icons/%1.svg").arg(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// Paints a one-colour drawing in the colour that the moment asks for, so that a change of theme needs no new icons.
class SymbolicIconEngine final : public QIconEngine {
public:
    SymbolicIconEngine(QByteArray svg, QColor fixed)
        : m_svg(std::move(svg))
        , m_fixed(fixed)
    {
    }

    QIconEngine* clone() const override { return new SymbolicIconEngine(*this); }

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override
    {
        QByteArray svg = m_svg;
        svg.replace("#000", colourFor(mode).name().toUtf8());
        QSvgRenderer renderer(svg);
        renderer.setAspectRatioMode(Qt::KeepAspectRatio);
        renderer.render(painter, rect);
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override
    {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return pixmap;
    }

private:
    QColor colourFor(QIcon::Mode mode) const
    {
        const QPalette palette = QGuiApplication::palette();
        if (mode == QIcon::Disabled)
            return palette.color(QPalette::Disabled, QPalette::WindowText);
        if (m_fixed.isValid())
            return m_fixed;
        return palette.color(mode == QIcon::Selected ? QPalette::HighlightedText : QPalette::WindowText);
    }

    QByteArray m_svg;
    QColor m_fixed;
};

} // namespace

QIcon symbolicIcon(const QString& name)
{
    if (QIcon::hasThemeIcon(name))
        return QIcon::fromTheme(name);
    return QIcon(new SymbolicIconEngine(drawing(name), QColor()));
}

QIcon colouredIcon(const QString& name, const QColor& colour)
{
    return QIcon(new SymbolicIconEngine(drawing(name), colour));
}

QIcon programIcon()
{
    loadIcons();
    return QIcon(QStringLiteral(":/namsan/icons/namsan.svg"));
}

} // namespace namsan
