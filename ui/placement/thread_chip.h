// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/common/theme.h"

#include <QWidget>

namespace namsan {

// Names of a machine's threads, in MachineSample's order: "VMM", "vCPU 0", ...
QString threadName(unsigned thread);

// A thread's chip as chips, tables and legends show it.
struct ChipLook {
    unsigned thread = 0;
    QString label;
    bool ghost = false; // dashed outline only: where a thread was
    bool warning = false; // seen elsewhere than asked
    bool focused = false;
    bool pickedUp = false;
};

void paintChip(QPainter&, const QRectF&, const ChipLook&, const ThemeTokens&, const QFont&);

// A thread of the VM in the placement dock, to be moved by mouse or keys. It knows no CPUs: its view says where it is,
// and what a move means.
class ThreadChip final : public QWidget {
    Q_OBJECT

public:
    ThreadChip(unsigned thread, QWidget* parent);

    unsigned thread() const { return m_thread; }
    void setWarning(bool);
    void setPickedUp(bool);
    bool pickedUp() const { return m_pickedUp; }
    bool dragging() const { return m_dragging; }

signals:
    void dragStarted();
    void draggedTo(QPoint centre); // in the parent's coordinates
    void dropped(QPoint centre);
    void dragCancelled();
    void keyPressed(QKeyEvent* event); // accepted by whoever uses it

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void focusInEvent(QFocusEvent*) override;
    void focusOutEvent(QFocusEvent*) override;

private:
    unsigned m_thread;
    bool m_warning = false;
    bool m_pickedUp = false;
    bool m_dragging = false;
    QPoint m_pressedAt;
};

} // namespace namsan
