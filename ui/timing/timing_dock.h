// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/timing/timing_history.h"

#include <QDockWidget>

namespace namsan {

class ExitsTable;
class TimingPlot;

// The last minute of the VM's threads: plot and exits.
class TimingDock final : public QDockWidget {
    Q_OBJECT

public:
    TimingDock(const TimingHistory&, unsigned threads, QWidget* parent = nullptr);

    void refresh(); // after a new sample or mark

private:
    const TimingHistory& m_history;
    TimingPlot* m_plot;
    ExitsTable* m_exits;
};

} // namespace namsan
