// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QImage>
#include <QStringList>

namespace namsan {

class MainWindow;

// The lines of text that a person would read in the console of this window: the window is painted, the console's part
// of it is cut out and each character is recognized by the dots of the guest's font. Dots of no known character give
// U+FFFD, so a line is only found where every dot of it is right.
QStringList readConsole(MainWindow&);

// The same for the guest's picture itself.
QStringList readTextScreen(const QImage&);

} // namespace namsan
