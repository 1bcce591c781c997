// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractButton>

namespace namsan {

// A caption and a figure in the status bar; a click opens what it tells about.
class StatusField final : public QAbstractButton {
    Q_OBJECT

public:
    explicit StatusField(const QString& caption, QWidget* parent = nullptr);

    void setValue(const QString&);
    QString value() const { return m_value; }

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    QString m_value;
};

// The engine's name in a frame.
class EngineBadge final : public QAbstractButton {
    Q_OBJECT

public:
    explicit EngineBadge(QWidget* parent = nullptr);

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;
};

} // namespace namsan
