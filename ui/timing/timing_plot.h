// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/timing/timing_history.h"

#include <QWidget>

#include <memory>
#include <vector>

class QCPAxisRect;
class QCPAbstractItem;
class QCPGraph;
class QCustomPlot;

namespace namsan {

// The last minute as two plots on one time axis: the load of each thread above, guest MIPS below, changes of placement
// as dashed lines through both. Drawn once per sample and only while it can be seen.
class TimingPlot final : public QWidget {
    Q_OBJECT

public:
    TimingPlot(const TimingHistory&, unsigned threads, QWidget* parent = nullptr);

    void refresh();
    void setThreadShown(unsigned thread, bool shown);

    QSize minimumSizeHint() const override { return { 320, 130 }; }

protected:
    void showEvent(QShowEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void changeEvent(QEvent*) override;
    bool event(QEvent*) override; // tool tips of marks

private:
    void build();
    void setUpAxes(QCPAxisRect&, bool lowest);
    void dress(); // colours and fonts from the palette
    void drawMarks();
    void drawUnit(QCPAxisRect*, const QString&);
    void drawMarkLine(double at); // seconds, 0 is now
    void drawMarkLabel(double x, const QString&); // pixels
    QString sentence() const;

    const TimingHistory& m_history;
    unsigned m_threads;
    QCustomPlot* m_plot;
    QCPAxisRect* m_loadRect = nullptr;
    QCPAxisRect* m_mipsRect = nullptr;
    std::vector<QCPGraph*> m_loads;
    QCPGraph* m_mips = nullptr;
    std::vector<QCPAbstractItem*> m_markItems;
    std::vector<std::pair<QRectF, QString>> m_markTips;
    AxisTop m_mipsTop { 1 };
    bool m_stale = true;
};

} // namespace namsan
