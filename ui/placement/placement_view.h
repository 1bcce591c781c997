// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/placement/cpu_cell.h"
#include "ui/placement/thread_chip.h"
#include "vmm/host/placement.h"

#include <QWidget>

#include <map>
#include <optional>
#include <vector>

namespace namsan {

// The host's CPUs as a map of sockets, cores and cells, with the VM's threads as chips on it. Chips move by mouse and
// by keys; a move is only asked for here (moveRequested), and shown when the new placement is set.
class PlacementView final : public QWidget {
    Q_OBJECT

public:
    // What is known of one thread's last ten seconds.
    struct Seen {
        std::map<LogicalCpu, double> shares; // of its sightings
        double load = 0; // of one CPU
        CpuSet granted; // what the kernel allows it now; empty: no such thread yet
        bool elsewhere = false; // for over ten seconds not where it was asked to run
    };

    PlacementView(const Topology&, unsigned threads, QWidget* parent = nullptr);

    void setPlacement(const Placement&);
    void setSeen(const std::vector<Seen>&);
    void setHostLoad(const std::map<LogicalCpu, double>&);

    ThreadChip* chip(unsigned thread) const { return m_chips[thread]; }
    CpuCell* cell(LogicalCpu) const; // nullptr: no such CPU
    QRect freeArea() const { return m_freeArea; }

    int heightForWidth(int width) const override;
    bool hasHeightForWidth() const override { return true; }
    QSize sizeHint() const override;

signals:
    void moveRequested(unsigned thread, std::optional<namsan::LogicalCpu> cpu);
    void presetTyped(unsigned vcpus, bool shared);
    void hint(const QString& text); // what the move under way would mean; empty: none is under way

protected:
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void changeEvent(QEvent*) override;

private:
    struct CoreBox {
        unsigned core;
        unsigned socket;
        unsigned numaNode;
        std::vector<CpuCell*> cells;
        QRect rect;
    };

    struct Sizes {
        int caption; // height of a line of small text
        int columns;
        int coreWidth;
        int coreHeight;
        int cellHeight;
        int cellTop; // below the core's top
    };

    struct Layout {
        std::vector<QRect> cores;
        std::vector<std::pair<QRect, QString>> groups;
        QRect legend;
        QRect freeArea;
    };

    std::optional<LogicalCpu> asked(unsigned thread) const;
    int chipHeight() const;
    int chipWidth() const; // the least that holds its label, with what a cell needs around it
    Sizes sizesFor(int width) const;
    Layout layoutFor(int width) const;
    void layOut();
    void layOutChips();
    void updateCells();
    bool compact() const { return m_cells.size() > 32; }

    void dragTo(unsigned thread, QPoint);
    void dropAt(unsigned thread, QPoint);
    void setTarget(unsigned thread, CpuCell* cell, bool freeArea);
    void endMove();
    void handleKey(ThreadChip&, QKeyEvent&);
    bool handleKeyPickedUp(ThreadChip&, QKeyEvent&);
    bool handleKeyResting(ThreadChip&, QKeyEvent&);
    CpuCell* neighbour(const CpuCell&, int key) const;
    QString effectOf(unsigned thread, const CpuCell&) const;

    Placement m_placement;
    std::vector<Seen> m_seen;
    std::map<LogicalCpu, double> m_hostLoad;
    std::vector<CpuCell*> m_cells;
    std::vector<CoreBox> m_cores;
    std::vector<ThreadChip*> m_chips;
    std::vector<std::pair<QRect, QString>> m_groups; // captions of sockets and NUMA nodes, where there are several
    QRect m_legend;
    QRect m_freeArea;
    bool m_freeAreaIsTarget = false;
    CpuCell* m_target = nullptr;
    std::optional<unsigned> m_typedDigit;
    LogicalCpu m_typedCpu = 0;
};

} // namespace namsan
