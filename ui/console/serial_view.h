// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/console/serial_text.h"

#include <QAbstractScrollArea>
#include <QTimer>

#include <optional>

namespace namsan {

// The guest's serial console: what came from COM1, with scrollback; what is typed here goes to COM1.
//
// A guest can send faster than anybody reads: bytes are collected and painted at most thirty times a second, and what
// is collected beyond what the scrollback could hold is dropped at the old end.
class SerialView final : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit SerialView(QWidget* parent = nullptr);

    void append(const QByteArray&);
    void clear();
    QString allText() const;
    QString selectedText() const;
    void copy();
    void paste();
    void selectAll();
    void setTypingEnabled(bool); // false: the guest has ended

signals:
    void typed(const QByteArray& bytes);

protected:
    bool event(QEvent*) override;
    bool focusNextPrevChild(bool next) override;
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void changeEvent(QEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void contextMenuEvent(QContextMenuEvent*) override;
    void focusInEvent(QFocusEvent*) override;
    void focusOutEvent(QFocusEvent*) override;

private:
    // A place in the text that stays with its line while old lines leave.
    struct Position {
        size_t line = 0; // counted from the first line ever
        qsizetype column = 0;
        auto operator<=>(const Position&) const = default;
    };

    void takePending();
    void measure();
    void updateScrollBars();
    Position positionAt(const QPoint&) const;
    QByteArray bytesFor(const QKeyEvent&) const;

    SerialText m_text;
    QByteArray m_pending;
    QTimer m_timer;
    Position m_anchor;
    Position m_head;
    int m_lineHeight = 1;
    qreal m_charWidth = 1;
    bool m_typingEnabled = true;
};

} // namespace namsan
