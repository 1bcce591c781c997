// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/paint/race_plot.h"

#include <QWidget>

namespace namsan {

// The plot of a race in the window, painted by the same code as on the stage.
class RacePlotView final : public QWidget {
    Q_OBJECT

public:
    explicit RacePlotView(QWidget* parent = nullptr);

    void display(RacePlotContent);

    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    RacePlotContent m_content;
};

} // namespace namsan
