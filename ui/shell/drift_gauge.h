// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractButton>

namespace namsan {

// How far guest time is ahead of host time or behind it, from -1 % to +1 %. Past 0.5 % the mark turns amber, past 1 %
// it is a triangle at the end, and the figure has the star that such a run keeps.
class DriftGauge final : public QAbstractButton {
    Q_OBJECT

public:
    enum class Level { KeepsUp, Off, FarOff };

    explicit DriftGauge(QWidget* parent = nullptr);

    void setDrift(double drift); // share of host time
    Level level() const;

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    double m_drift = 0;
};

} // namespace namsan
