// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractButton>

namespace namsan {

// A thread's line and name; unchecked, its line is not drawn.
class LegendEntry final : public QAbstractButton {
    Q_OBJECT

public:
    explicit LegendEntry(unsigned thread, QWidget* parent = nullptr);

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    unsigned m_thread;
};

} // namespace namsan
