// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/result_table.h"

#include <QWidget>

namespace namsan {

// The plot of an experiment: a dot for each run that has ended, painted by the same code as exports.
class PlotView final : public QWidget {
    Q_OBJECT

public:
    explicit PlotView(QWidget* parent = nullptr);

    void display(const ResultTable&);

    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    ResultTable m_table;
};

} // namespace namsan
