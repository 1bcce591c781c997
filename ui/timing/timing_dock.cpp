// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/timing/timing_dock.h"

#include "ui/common/dock_title.h"
#include "ui/timing/exits_table.h"
#include "ui/timing/legend_entry.h"
#include "ui/timing/timing_plot.h"

#include <QHBoxLayout>

namespace namsan {

TimingDock::TimingDock(const TimingHistory& history, unsigned threads, QWidget* parent)
    : QDockWidget(tr("Timing"), parent)
    , m_history(history)
    , m_plot(new TimingPlot(history, threads))
    , m_exits(new ExitsTable)
{
    setObjectName(QStringLiteral("timing"));
    auto* title = new DockTitle(*this);
    for (unsigned thread = 0; thread < threads; ++thread) {
        auto* entry = new LegendEntry(thread);
        connect(entry, &LegendEntry::toggled, m_plot,
            [plot = m_plot, thread](bool shown) { plot->setThreadShown(thread, shown); });
        title->addBesideName(entry);
    }
    setTitleBarWidget(title);

    auto* content = new QWidget;
    auto* row = new QHBoxLayout(content);
    row->setContentsMargins(8, 2, 4, 4);
    row->setSpacing(4);
    row->addWidget(m_plot, 1);
    row->addWidget(m_exits);
    setWidget(content);
    setMinimumHeight(180);
}

void TimingDock::refresh()
{
    m_plot->refresh();
    if (isVisible())
        m_exits->showExits(m_history.exits());
}

} // namespace namsan
