// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

namespace namsan {

// A lane's letter on its shape and in its colour.
class LaneMark final : public QWidget {
    Q_OBJECT

public:
    explicit LaneMark(size_t lane, QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent*) override;

private:
    size_t m_lane;
};

// How much of its work a lane has done, in its colour.
class LaneBar final : public QWidget {
    Q_OBJECT

public:
    explicit LaneBar(size_t lane, QWidget* parent = nullptr);

    void setShare(double share); // 0 to 1
    double share() const { return m_share; }

protected:
    void paintEvent(QPaintEvent*) override;

private:
    size_t m_lane;
    double m_share = 0;
};

} // namespace namsan
