// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/plot_colours.h"

#include "ui/common/theme.h"

namespace namsan {

PlotColours plotColours(const QPalette& palette)
{
    const ThemeTokens tokens = themeTokens(palette);
    PlotColours colours = PlotColours::light();
    colours.ground = tokens.base;
    colours.text = tokens.text;
    colours.secondary = tokens.secondaryText;
    colours.grid = tokens.plotGrid;
    colours.axis = tokens.neutral;
    if (tokens.dark)
        colours.series = { QColor(0x8f, 0xa8, 0xff), QColor(0xe5, 0xb8, 0x4a), QColor(0xa9, 0xb4, 0xbe), tokens.text };
    return colours;
}

} // namespace namsan
