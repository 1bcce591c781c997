// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/timing/timing_history.h"

#include <QTableWidget>
#include <QWidget>

class QLabel;

namespace namsan {

// How often the guest's code was left in the last second, and what for.
class ExitsTable final : public QWidget {
    Q_OBJECT

public:
    explicit ExitsTable(QWidget* parent = nullptr);

    void showExits(const std::vector<ExitRate>&);

protected:
    void paintEvent(QPaintEvent*) override;

private:
    QLabel* m_total;
    QTableWidget* m_table;
};

} // namespace namsan
