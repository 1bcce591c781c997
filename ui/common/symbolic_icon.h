// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QIcon>
#include <QString>

namespace namsan {

// An icon by its freedesktop name: the desktop's own where it has one, else the program's drawing of that name, in the
// palette's text colour at the time of painting.
QIcon symbolicIcon(const QString& name);

// The program's drawing of that name in a colour of its own.
QIcon colouredIcon(const QString& name, const QColor&);

QIcon programIcon();

} // namespace namsan
