// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/placement/placement_view.h"

#include <QTableWidget>

namespace namsan {

// Thread, where it was asked to run, where it was seen, its load: the map's equal in words.
class ThreadTable final : public QTableWidget {
    Q_OBJECT

public:
    explicit ThreadTable(unsigned threads, QWidget* parent = nullptr);

    void showThreads(const Placement&, const std::vector<PlacementView::Seen>&);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

private:
    unsigned m_threads;
};

// "CPU 3", "3: 60 %, 6: 40 %", "not seen yet"
QString observedText(const std::map<LogicalCpu, double>& shares);

} // namespace namsan
