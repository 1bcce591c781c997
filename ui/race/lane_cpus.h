// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/timing/timing_history.h"
#include "vmm/host/placement.h"

#include <QWidget>

#include <vector>

class QGridLayout;

namespace namsan {

class CpuCell;

// The host CPUs of a lane, with the chips of who was asked to run there and bars of who was seen. To be looked at only.
class LaneCpus final : public QWidget {
    Q_OBJECT

public:
    explicit LaneCpus(QWidget* parent = nullptr);

    void setPlacement(const Topology&, const Placement&);
    // observed and loads by thread, the VMM first; hostLoad by CPU.
    void show(const TimingHistory&, const std::map<LogicalCpu, double>& hostLoad);
    using QWidget::show;

    const std::vector<CpuCell*>& cells() const { return m_cells; }

private:
    QGridLayout* m_grid;
    std::vector<CpuCell*> m_cells;
    std::vector<std::vector<unsigned>> m_chips; // threads asked to run there, cell by cell
    unsigned m_threads = 0;
};

} // namespace namsan
