// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/console/picture_scaling.h"
#include "vmm/devices/input/input_event.h"
#include "vmm/display/frame.h"

#include <QImage>
#include <QWidget>

#include <set>

namespace namsan {

// The guest's screen. Paints only what changed. A click gives the guest the keyboard and the mouse; Right Ctrl, or the
// loss of the window's focus, takes them back and lets go of every key that was down.
class ConsoleView final : public QWidget {
    Q_OBJECT

public:
    explicit ConsoleView(QWidget* parent = nullptr);

    void show(const Frame&); // copies the damaged part
    using QWidget::show;
    void clear();

    PictureScaling scaling() const { return m_scaling; }
    void setScaling(PictureScaling);
    PicturePlace place() const;

    bool captured() const { return m_captured; }
    void capture();
    void release();

    QImage picture() const { return m_picture; } // the guest's pixels, unscaled
    const std::vector<std::string>& text() const { return m_text; } // lines of a text screen, else empty

    QSize sizeHint() const override { return { 720, 400 }; }
    QSize minimumSizeHint() const override { return { 320, 200 }; }

signals:
    void input(const namsan::InputEvent& event);
    void capturedChanged(bool captured);
    void pictureSizeChanged();
    void placeChanged();

protected:
    bool event(QEvent*) override;
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void keyReleaseEvent(QKeyEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void wheelEvent(QWheelEvent*) override;
    void focusOutEvent(QFocusEvent*) override;
    bool focusNextPrevChild(bool next) override;

private:
    QPointF originInDevicePixels() const;
    void updateDamaged(const PixelRect&);
    void releaseKeys();
    void centrePointer();
    void pointerButton(Qt::MouseButton, bool pressed);

    QImage m_picture;
    std::vector<std::string> m_text;
    PictureScaling m_scaling = PictureScaling::Integer;
    bool m_captured = false;
    std::set<HidUsage> m_keysDown;
    std::set<PointerButton> m_buttonsDown;
    QPointF m_pointer; // where the host's pointer was seen last, global
    QPointF m_fraction; // of the pointer's way that made no whole count yet
    int m_wheel = 0; // eighths of a degree that made no whole step yet
};

} // namespace namsan
