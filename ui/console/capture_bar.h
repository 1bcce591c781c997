// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/console/picture_scaling.h"

#include <QWidget>

class QComboBox;
class QLabel;

namespace namsan {

class ConsoleView;

// The line below the picture: who has the keyboard and which key gives it back; the picture's size; its scaling.
class CaptureBar final : public QWidget {
    Q_OBJECT

public:
    explicit CaptureBar(ConsoleView&, QWidget* parent = nullptr);

    void choose(PictureScaling);

protected:
    void paintEvent(QPaintEvent*) override;

private:
    void showCapture();
    void showPicture();

    ConsoleView& m_console;
    QLabel* m_before;
    QLabel* m_key;
    QLabel* m_after;
    QLabel* m_size;
    QComboBox* m_scaling;
};

} // namespace namsan
