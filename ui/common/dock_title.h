// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QDockWidget;
class QHBoxLayout;
class QToolButton;

namespace namsan {

// The title bar of a dock: its name, room for the dock's own controls, a button that closes it.
class DockTitle final : public QWidget {
    Q_OBJECT

public:
    explicit DockTitle(QDockWidget& dock);

    void addControl(QWidget*); // right of the name, before the close button
    void addBesideName(QWidget*);
    static QToolButton* makeButton(const QString& iconName, const QString& text);

protected:
    void paintEvent(QPaintEvent*) override;

private:
    QHBoxLayout* m_beside;
    QHBoxLayout* m_controls;
};

} // namespace namsan
